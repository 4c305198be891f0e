import { announcedEnd, checkAllDone, ended, noops, openFleet } from '../contestants/flotilla.mjs'
import { watchLoop } from '../loop-delay.mjs'

/**
 * Drains runs of a size, as many as make up a sum worth timing, one after the other. Tells the rate, how long reading a finished run's
 * result takes, and for how long the event loop was blocked in each phase.
 */
export default async function queue({ folder, tasks, repeat, warmUp }) {
  const fleet = await openFleet({ store: 'json', folder, slots: 64 })
  const first = await fleet.start({ name: 'warm-up', tasks: noops(warmUp) })
  await ended(first, warmUp)
  const loop = watchLoop()
  const worst = { createBlocked: 0, drainBlocked: 0 }
  let drainMs = 0
  let readMs = 0
  for (let round = 0; round < repeat; round += 1) {
    const spec = { name: 'queue', tasks: noops(tasks) }
    await loop.lap()
    const run = await fleet.create(spec)
    worst.createBlocked = Math.max(worst.createBlocked, await loop.lap())
    const began = performance.now()
    const announced = announcedEnd(fleet, run)
    await run.start()
    await announced
    const done = performance.now()
    const result = await run.result()
    readMs += performance.now() - done
    drainMs += done - began
    worst.drainBlocked = Math.max(worst.drainBlocked, await loop.lap())
    // Counting very many receipts blocks the loop too, and is no work of the fleet's.
    checkAllDone(result, tasks)
  }
  await loop.lap()
  await fleet.close()
  return { rate: ((tasks * repeat) / drainMs) * 1000, readMs: readMs / repeat, ...worst, closeBlocked: await loop.lap() }
}
