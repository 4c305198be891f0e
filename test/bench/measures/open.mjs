import { openStore } from '../contestants/flotilla.mjs'
import { importFlotilla } from '../flotilla.mjs'
import { watchLoop } from '../loop-delay.mjs'

/** Opens what another process left behind, up to where work would go on. The process then dies without closing. */
export default async function open({ folder }) {
  const { createFleet } = await importFlotilla()
  const store = await openStore('json', folder)
  const loop = watchLoop()
  await loop.lap()
  const began = performance.now()
  await createFleet({ store, leasing: false })
  const ms = performance.now() - began
  return { ms, blocked: await loop.lap() }
}
