import { expect, test } from 'vitest'
import { createFleet } from '../../../src/fleet/create-fleet.ts'
import type { FleetOptions } from '../../../src/fleet/options.ts'
import { openBench, task } from '../../support/bench-fleet.ts'

const refused = (options: object): Promise<unknown> => createFleet(options as FleetOptions).then((fleet) => fleet.close())

test.each([
  [{ retention: { endedRuns: -1 } }, 'retention.endedRuns: expected an integer from 0, got -1'],
  [{ retention: { endedRuns: Number.NaN } }, 'retention.endedRuns: expected an integer from 0, got NaN'],
  [{ retention: { maxAgeMs: 'x' } }, 'retention.maxAgeMs: expected an integer from 0, got x'],
  [{ limits: { leaseTtlMs: 0 } }, 'limits.leaseTtlMs: expected an integer from 1, got 0'],
  [{ limits: { logBytes: -5 } }, 'limits.logBytes: expected an integer from 0, got -5'],
  [{ limits: { jitter: 1 } }, 'limits.jitter: expected true or false, got 1'],
  [{ limits: { nonsense: 1 } }, 'limits.nonsense: there is no such option'],
  [{ alerts: { allowHttp: 'yes' } }, 'alerts.allowHttp: expected true or false, got yes'],
  [{ alerts: { timeoutMs: 0 } }, 'alerts.timeoutMs: expected an integer from 1, got 0'],
  [{ alerts: { sinks: { email: {} } } }, 'alerts.sinks: expected sinks by kind of channel: slack, webhook, pager_duty'],
  [{ alerts: { pagerDutyUrl: 'eu' } }, 'alerts.pagerDutyUrl: expected a URL, got eu'],
  [{ limits: { alertTries: 0 } }, 'limits.alertTries: expected an integer from 1, got 0'],
  [{ verifier: 'a model' }, 'verifier: expected a function, got a model'],
  [{ limits: { commandScorerTimeoutMs: 0 } }, 'limits.commandScorerTimeoutMs: expected an integer from 1, got 0'],
  [{ slots: 0 }, 'slots: expected an integer from 1, got 0'],
])('RU8 an option that cannot be is refused by name: %j', async (options, says) => {
  await expect(refused(options)).rejects.toMatchObject({ code: 'invalid_option', message: expect.stringContaining(says) })
})

test('WI6 all options that are wrong are told at once', async () => {
  const error = await refused({ limits: { maxLeases: 0, eventBuffer: 0 }, retention: { endedRuns: -1 } }).catch(
    (caught: unknown) => caught,
  )
  for (const path of ['limits.maxLeases', 'limits.eventBuffer', 'retention.endedRuns']) expect(String(error)).toContain(path)
})

test('SC1 a limit that is undefined is the default', async () => {
  const bench = await openBench({ limits: { leaseTtlMs: undefined, maxLeases: undefined } })
  const run = await bench.fleet.start({ name: 'r', tasks: [task('a')] })
  await bench.clock.settle()
  bench.transport.attempt('a').complete()
  expect((await run.result()).status).toBe('completed')
})
