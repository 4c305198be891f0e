import { setTimeout as sleep } from 'node:timers/promises'
import { ended, noops, openFleet } from '../contestants/flotilla.mjs'

/** Drains a queue while subscribers hear every event; a slow one takes 5 ms for each. */
export default async function fanOut({ folder, tasks, warmUp, fast, slow }) {
  const fleet = await openFleet({ store: 'json', folder, slots: 64 })
  const listeners = [
    ...Array.from({ length: fast }, () => listen(fleet, () => undefined)),
    ...Array.from({ length: slow }, () => listen(fleet, () => sleep(5))),
  ]
  await ended(await fleet.start({ name: 'warm-up', tasks: noops(warmUp) }), warmUp)
  const run = await fleet.create({ name: 'fan-out', tasks: noops(tasks) })
  const heardBefore = sum(listeners, 'heard')
  const began = performance.now()
  await run.start()
  await ended(run, tasks)
  const seconds = (performance.now() - began) / 1000
  const delivered = (sum(listeners, 'heard') - heardBefore) / seconds
  await fleet.close()
  return { rate: tasks / seconds, delivered, dropped: sum(listeners, 'dropped') }
}

function listen(fleet, take) {
  const counts = { heard: 0, dropped: 0 }
  void (async () => {
    for await (const event of fleet.events()) {
      if (event.event === 'gap') counts.dropped += event.dropped
      else counts.heard += 1
      await take()
    }
  })()
  return counts
}

const sum = (listeners, name) => listeners.reduce((total, listener) => total + listener[name], 0)
