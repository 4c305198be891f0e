// EV3 a listener of an event that does not exist
import { fleet } from '../definitions.ts'

// rejected: '"worker.runing"' is not assignable
fleet.on('worker.runing', () => {})
