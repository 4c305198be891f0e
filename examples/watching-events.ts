// Three ways to watch: listen to one name live, read all of a run in order, and read a page after a cursor.
import { createFleet } from 'flotilla'

const fleet = await createFleet({
  handlers: {
    async draft({ modelWait, tool, log }) {
      await modelWait('a-model')
      await tool('search', 'call-1')
      await log('looked it up')
      return 'done'
    },
  },
})

// Live: it hears what happens from now on. A listener that throws or is slow harms nobody.
fleet.on('worker.running_tool', ({ payload }) => console.log('tool', payload.tool))

const run = await fleet.start({
  name: 'watch',
  tasks: [{ id: 'draft', name: 'Draft', instructions: 'Write it.', handler: 'draft' }],
})
//=> tool search
await run.result()

// In order, from the first on, without a gap; it ends when the run has.
const names: string[] = []
for await (const event of run.events()) names.push(event.event)
console.log(names[0], names.includes('worker.model_wait')) //=> run.created true

// A page after a cursor: the way on for a reader that was restarted. Read again, it gives the same events.
const page = await run.replay({ limit: 3 })
const [before] = page.events
const again = await run.replay({ after: before?.cursor, limit: 3 })
console.log(again.events.map(({ event }) => event).join() === names.slice(-2).join()) //=> true
await fleet.close()
