// The smallest fleet: one handler, one task, its result.
import { createFleet, defineTask } from 'flotilla'

const greet = defineTask({
  name: 'greet',
  run: ({ task, number }) => `Hello, ${task.id}, at attempt ${number}`,
})

const fleet = await createFleet({ handlers: { greet } })
const run = await fleet.start({ name: 'hello', tasks: [greet.task({ id: 'world' })] })
const result = await run.result()

console.log(result.status) //=> completed
console.log(result.output(greet, 'world')) //=> Hello, world, at attempt 1
console.log(result.receipts['world']?.result) //=> partial
await fleet.close()

// `partial`: nothing checked the result. A scorer, or an output schema that accepts it, makes it a `pass` (see typed-tasks.ts).
