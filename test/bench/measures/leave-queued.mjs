import { noops, openFleet } from '../contestants/flotilla.mjs'
import { watchLoop } from '../loop-delay.mjs'

/** Leaves a run with queued tasks behind, in good order. */
export default async function leaveQueued({ folder, tasks }) {
  const fleet = await openFleet({ store: 'json', folder, slots: 64, leasing: false })
  const spec = { name: 'queued', tasks: noops(tasks) }
  const loop = watchLoop()
  await loop.lap()
  await fleet.start(spec)
  const createBlocked = await loop.lap()
  const began = performance.now()
  await fleet.close()
  const closeMs = performance.now() - began
  return { createBlocked, closeMs, closeBlocked: await loop.lap() }
}
