import { collected } from '../collected.mjs'
import { noop, noops, openFleet } from '../contestants/flotilla.mjs'

/** What a queued task keeps in memory after a collection, beyond the JSON of its spec. */
export default async function queuedMemory({ folder, tasks }) {
  const fleet = await openFleet({ store: 'json', folder, slots: 64, leasing: false })
  const before = collected()
  await fleet.start({ name: 'queued', tasks: noops(tasks) })
  const after = collected()
  let specBytes = 0
  for (let index = 0; index < tasks; index += 1) specBytes += Buffer.byteLength(JSON.stringify(noop(`t${index}`)))
  await fleet.close()
  return {
    heap: (after.heapUsed - before.heapUsed - specBytes) / tasks,
    resident: (after.rss - before.rss) / tasks,
    spec: specBytes / tasks,
  }
}
