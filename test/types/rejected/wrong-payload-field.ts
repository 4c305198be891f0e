// EV3 a field that the payload of an event does not have
import { fleet } from '../definitions.ts'

// rejected: Property 'tol' does not exist
fleet.on('worker.running_tool', ({ payload }) => console.log(payload.tol))
