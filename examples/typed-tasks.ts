// Tasks with types: what goes in and comes out is checked, and a task sees what the tasks that it depends on gave.
import { createFleet, defineTask } from 'flotilla'
import { z } from 'zod'

const count = defineTask({
  name: 'count',
  input: z.object({ text: z.string() }),
  output: z.object({ words: z.number().int() }),
  run: ({ input }) => ({ words: input.text.split(/\s+/).length }),
})

const total = defineTask({
  name: 'total',
  output: z.object({ words: z.number(), parts: z.array(z.string()) }),
  run({ dependencies }) {
    const parts = Object.entries(dependencies).map(
      ([id, { output }]) => [id, z.object({ words: z.number() }).parse(output)] as const,
    )
    return { words: parts.reduce((sum, [, { words }]) => sum + words, 0), parts: parts.map(([id]) => id) }
  },
})

const fleet = await createFleet({ handlers: { count, total } })
const run = await fleet.start({
  name: 'words',
  tasks: [
    count.task({ id: 'one', input: { text: 'a fleet of ships' } }),
    count.task({ id: 'two', input: { text: 'sails at dawn' } }),
    // Fan-in: it is leased once both have completed.
    total.task({ id: 'sum', depends_on: ['one', 'two'] }),
  ],
})
const result = await run.result()
result.assertCompleted()

// Typed: `output` gives what the definition says, here `{ words: number }`.
console.log(result.output(count, 'one').words + 1) //=> 5
console.log(result.output(total, 'sum')) //=> { words: 7, parts: [ 'one', 'two' ] }
console.log(result.receipts['sum']?.result) //=> pass
await fleet.close()
