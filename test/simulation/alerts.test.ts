import { expect, test } from 'vitest'
import type { AlertRecord } from '../../src/engine/alert-record.ts'
import type { Entry } from '../../src/engine/entry.ts'
import { seededIds } from '../../src/host/seeded-ids.ts'
import { FleetError } from '../../src/protocol/errors.ts'
import type { AlertReception } from '../../src/testing/alert-receiver.ts'
import { script, worker } from '../../src/testing/index.ts'
import { openTestFleet } from '../../src/testing/test-fleet.ts'
import type { WatchedTestFleet } from '../../src/testing/test-fleet.ts'
import { allFaults } from './all-faults.ts'

const rounds = 60
const receptions: readonly AlertReception[] = ['take', 'take', 'take', 'refuse', 'lose', 'hang']

const w1 = worker('w1', { slots: 2 })
  .on('flaky', script().after('3s').fail('flaky'), script().after('1s').complete())
  .on('broken', script().after('1s').fail('broken', { recoverable: false }))
  .on('hopeless', script().after('2s').fail('hopeless'))
  .on('stuck', script().after('5s').stall(), script().after('5s').complete())
  .on('late', script().after('5s').stall(), script().after('5s').complete())

const channels = [
  { kind: 'webhook', url_ref: 'A' },
  { kind: 'pager_duty', routing_key: '<secret:B>', severity: 'error' },
] as const
const tasks = ['flaky', 'broken', 'hopeless', 'stuck', 'late', 'fine'].map((id) => ({
  id,
  name: id,
  instructions: 'Play.',
  retry_policy: { max_attempts: 2, initial_backoff_seconds: 1 },
  alert_policy: { channels: [...channels], ...(id === 'late' && { after_minutes_stale: 1 }) },
}))

test(
  'DE3 AL2 whatever goes wrong, every alert that is ordered arrives, is recorded once, and nothing stays owed',
  { timeout: 120_000 },
  async () => {
    const seen = { ordered: 0, repeated: 0, resolved: 0, struck: 0 }
    for (let round = 0; round < rounds; round += 1) {
      const kit = await openTestFleet({ seed: `alerts ${round}`, faults: allFaults, workers: [w1] }, {})
      const draws = seededIds(`alerts ${round} receptions`)
      kit.alerts.behave = () => receptions[Math.floor(draws.random() * receptions.length)] ?? 'take'
      await started(kit)
      await kit.advance('20m')
      kit.calm()
      kit.alerts.behave = () => 'take'
      // What hangs is let go by the end of its process.
      await kit.restart()
      await kit.advanceUntilIdle()
      const entries = await entriesOf(kit)
      const orders = entries.flatMap(({ alerts = [] }) =>
        alerts.flatMap(({ set }) => (set?.id === undefined ? [] : [set as AlertRecord])),
      )
      const taskOf = new Map(entries.flatMap(({ task = '', alerts = [] }) => alerts.map(({ id }) => [id, task])))
      const keys = orders.map((order) => `${taskOf.get(order.id)} ${order.attempt} ${order.class} ${order.channel}`)
      expect(new Set(keys).size, `seed ${round}`).toBe(keys.length)
      const sent = entries.flatMap(({ delivery }) => (delivery?.sent === true ? [`${delivery.action} ${delivery.id}`] : []))
      expect(new Set(sent).size, `seed ${round}`).toBe(sent.length)
      const dropped = new Set(entries.flatMap(({ alerts = [] }) => alerts.flatMap(({ id, set }) => (set === null ? [id] : []))))
      const received = new Set(kit.alerts.received.filter(({ reception }) => reception !== 'refuse').map(({ alert }) => alert.id))
      // What was held back and whose cause ended is dropped, unsent; everything else came in.
      for (const { id, status } of orders)
        if (status === 'owed') expect(sent, `seed ${round}`).toContain(`trigger ${id}`)
        else if (!sent.includes(`trigger ${id}`)) expect(dropped).toContain(id)
      for (const line of sent)
        expect(received, `seed ${round}`).toContain(line.startsWith('trigger ') ? line.slice(8) : `${line.slice(8)}_resolve`)
      expect((await kit.store.runs()).map(({ unsettled }) => unsettled)).toEqual([undefined])
      seen.ordered += orders.length
      seen.repeated += kit.alerts.received.length - received.size
      seen.resolved += sent.filter((line) => line.startsWith('resolve')).length
      seen.struck += kit.struck.length
      await kit.close()
    }
    expect(seen.ordered).toBeGreaterThan(rounds * 3)
    for (const count of [seen.repeated, seen.resolved, seen.struck]) expect(count).toBeGreaterThan(rounds / 2)
  },
)

/** Starts the run, however often the process dies over it. */
async function started(kit: WatchedTestFleet): Promise<void> {
  for (;;) {
    try {
      const starting = kit.ready().then((fleet) => fleet.start({ id: 'run', name: 'run', tasks }, { idempotencyKey: 'run' }))
      const patience = kit.clock.sleep(60_000).then(() => undefined)
      if ((await kit.until(Promise.race([starting, patience]))) !== undefined) return
    } catch (error) {
      if (!FleetError.is(error)) throw error
      await kit.advance('1s')
    }
  }
}

async function entriesOf(kit: WatchedTestFleet): Promise<readonly Entry[]> {
  return (await kit.store.read('run', { from: 1, limit: 100_000 })) as unknown as Entry[]
}
