import { collected } from '../collected.mjs'
import { noops, openFleet } from '../contestants/flotilla.mjs'

const atOnce = 1_000

/** What a task that has ended keeps in memory after a collection, in a run that stays open and takes more of them. */
export default async function endedMemory({ folder, tasks }) {
  const fleet = await openFleet({ store: 'json', folder, slots: 64 })
  const run = await fleet.start({ name: 'open', open: true, tasks: [] })
  await doMore(fleet, run, 'first', Math.min(tasks, atOnce))
  const before = await afterSnapshots()
  await doMore(fleet, run, 'then', tasks)
  const after = await afterSnapshots()
  await fleet.close()
  return { endedHeap: (after.heapUsed - before.heapUsed) / tasks }
}

async function doMore(fleet, run, prefix, tasks) {
  let open = tasks
  const ended = new Promise((resolve) => {
    const off = fleet.on('task.terminal', () => {
      open -= 1
      if (open > 0) return
      off()
      resolve()
    })
  })
  const all = noops(tasks, prefix)
  for (let from = 0; from < tasks; from += atOnce) await run.add(all.slice(from, from + atOnce))
  await ended
}

/** A snapshot that is being taken holds what it writes. */
async function afterSnapshots() {
  await new Promise((resolve) => setTimeout(resolve, 1_000))
  return collected()
}
