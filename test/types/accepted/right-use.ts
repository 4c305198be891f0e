// what the other folder gets wrong, done right
import { createFleet } from 'flotilla'
import { count, fleet, result, shout } from '../definitions.ts'

fleet.on('worker.running_tool', ({ payload }) => console.log(payload.tool, payload.call_id))
for await (const event of fleet.events()) {
  if (event.event === 'worker.completed') console.log(event.payload.exit_code)
}
count.task({ id: 'a', input: { text: 'a b' }, retry_policy: { max_attempts: 3 }, scorer: { kind: 'exit_code' } })
export const counted: { words: number } = result.output(count, 'a')
export const shouted: string = result.output(shout, 'b')
await createFleet({ handlers: { count, shout, plain: ({ input }) => input } })
