// EV3 a payload field before the event's name was looked at
import { fleet } from '../definitions.ts'

for await (const event of fleet.events()) {
  // rejected: Property 'exit_code' does not exist
  if (event.event !== 'gap') console.log(event.payload.exit_code)
}
