// A handler that fails once: every attempt has its own number and lease, waits before it begins, and sees the receipts before it.
import { createFleet, defineTask } from 'flotilla'

const fetchReport = defineTask({
  name: 'fetch-report',
  run({ number, previous }) {
    if (number === 1) throw new Error('the service is busy')
    return { attempt: number, before: previous[0]?.evidence ?? 'nothing' }
  },
})

const fleet = await createFleet({ handlers: { 'fetch-report': fetchReport } })
fleet.on('task.leased', ({ attempt }) => console.log(`attempt ${attempt} has the lease`))

const run = await fleet.start({
  name: 'retry',
  tasks: [fetchReport.task({ id: 'report', retry_policy: { max_attempts: 3, initial_backoff_seconds: 1 } })],
})
//=> attempt 1 has the lease
//=> attempt 2 has the lease
const result = await run.result()
const [first, second] = await run.receipts('report')
const waitedMs = Date.parse(second?.completed_at ?? '') - Date.parse(first?.completed_at ?? '')

console.log(result.status) //=> completed
console.log(first?.result, first?.failure_kind) //=> fail task
console.log(waitedMs >= 1000) //=> true
console.log(result.output(fetchReport, 'report')) //=> { attempt: 2, before: 'Error: the service is busy' }
await fleet.close()
