import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'
import { root } from '../flotilla.mjs'

const tasks = 50

/**
 * Runs of 50 tasks on four slots of virtual time: each task fails once and is tried again after 140 minutes, each attempt takes three minutes,
 * heartbeats and all.
 */
export default async function virtualTime({ runs }) {
  const entry = createRequire(`${root}/package.json`).resolve('flotilla/testing')
  const { createTestFleet, script, worker } = await import(pathToFileURL(entry).href)
  const retry_policy = { max_attempts: 2, initial_backoff_seconds: 8_400, max_backoff_seconds: 8_400 }
  const spec = {
    name: 'three hours',
    tasks: Array.from({ length: tasks }, (_, index) => ({ id: `t${index}`, name: 'Wait', instructions: 'Wait.', retry_policy })),
  }
  let hours = 0

  async function one(seed) {
    const play = [script().after('3m').fail('again'), script().after('3m').complete()]
    const workers = ['w1', 'w2'].map((id) => worker(id, { slots: 2 }).otherwise(...play))
    const fleet = await createTestFleet({ seed, workers })
    const began = fleet.now()
    const run = await fleet.start(spec)
    const { status } = await fleet.until(run.result())
    if (status !== 'completed') throw new Error(`The run ended ${status}.`)
    hours = (fleet.now() - began) / 3_600_000
    await fleet.close()
  }

  const firstAt = performance.now()
  await one('first')
  const first = performance.now() - firstAt
  const began = performance.now()
  for (let seed = 0; seed < runs; seed += 1) await one(seed)
  const all = performance.now() - began
  return { hours, first, each: all / runs, all }
}
