import { ended, noops, openFleet } from '../contestants/flotilla.mjs'

const atOnce = 64

/** Leaves finished runs of one task behind, in good order. */
export default async function leaveFinished({ folder, runs }) {
  const fleet = await openFleet({ store: 'json', folder, slots: atOnce })
  let left = runs
  async function oneAfterTheOther() {
    while (left > 0) {
      left -= 1
      await ended(await fleet.start({ name: 'finished', tasks: noops(1) }), 1)
    }
  }
  await Promise.all(Array.from({ length: atOnce }, oneAfterTheOther))
  await fleet.close()
  return {}
}
