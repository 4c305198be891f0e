import { noops, openFleet } from '../contestants/flotilla.mjs'

const atOnce = 64

/** Leaves finished runs of one task behind, in good order. */
export default async function leaveFinished({ folder, runs }) {
  const fleet = await openFleet({ store: 'json', folder, slots: atOnce })
  const waiting = new Map()
  fleet.on('run.status_changed', ({ run_id: id, payload }) => {
    if (payload.status === 'completed') waiting.get(id)()
  })
  let left = runs
  async function oneAfterTheOther() {
    while (left > 0) {
      left -= 1
      const id = `finished-${left}`
      const end = new Promise((resolve) => waiting.set(id, resolve))
      await fleet.start({ id, name: 'finished', tasks: noops(1) })
      await end
      waiting.delete(id)
    }
  }
  await Promise.all(Array.from({ length: atOnce }, oneAfterTheOther))
  await fleet.close()
  return {}
}
