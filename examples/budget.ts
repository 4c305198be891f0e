// A budget: work that crosses a limit is asked to hand back what it has, and gets a grace for it.
import { createFleet, defineTask } from 'flotilla'

const summarize = defineTask({
  name: 'summarize',
  async run({ usage, delay, handBack, budgetLeft }) {
    console.log(budgetLeft)
    const pages: number[] = []
    // Each page costs 400 tokens.
    for (let page = 1; page <= 100 && !handBack.aborted; page += 1) {
      await usage({ inputTokens: 350, outputTokens: 50 })
      await delay(5)
      pages.push(page)
    }
    return { pages }
  },
})

const fleet = await createFleet({ handlers: { summarize } })
fleet.on('alert.raised', ({ payload }) => console.log(payload.class))

const run = await fleet.start({
  name: 'budget',
  tasks: [summarize.task({ id: 'book', budget: { max_tokens: 1_000, max_seconds: 60 } })],
})
const { receipts } = await run.result()
const receipt = receipts['book']

//=> { max_tokens: 1000, max_seconds: 60 }
//=> budget_exceeded
//=> run_completed
console.log(receipt?.result, receipt?.output) //=> partial { pages: [ 1, 2, 3 ] }
console.log(receipt?.evidence?.split('\n')[0]) //=> The budget of the task is spent: 1200 of 1000 tokens (max_tokens).
console.log(receipt?.spent?.tokens) //=> 1200
await fleet.close()
