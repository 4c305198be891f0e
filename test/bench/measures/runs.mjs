import { announcedEnd, ended, noops, openFleet } from '../contestants/flotilla.mjs'

/** Creates many small runs at once, then starts them all and waits for all; then reads the result of each. */
export default async function manyRuns({ folder, runs, tasks }) {
  const fleet = await openFleet({ store: 'json', folder, slots: 64 })
  const specs = Array.from({ length: runs }, () => ({ name: 'small', tasks: noops(tasks) }))
  const began = performance.now()
  const created = await Promise.all(specs.map((spec) => fleet.create(spec)))
  const createdAt = performance.now()
  const announced = Promise.all(created.map((run) => announcedEnd(fleet, run)))
  await Promise.all(created.map((run) => run.start()))
  await announced
  const endedAt = performance.now()
  for (const run of created) await ended(run, tasks)
  const readAt = performance.now()
  await fleet.close()
  return {
    created: (runs / (createdAt - began)) * 1000,
    rate: ((runs * tasks) / (endedAt - createdAt)) * 1000,
    read: (runs / (readAt - endedAt)) * 1000,
  }
}
