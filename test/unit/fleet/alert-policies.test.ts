import { mkdtemp, readFile, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { createFleet } from '../../../src/fleet/create-fleet.ts'
import { inspectStore } from '../../../src/fleet/doctor.ts'
import { dryRunAlerts } from '../../../src/fleet/dry-run-alerts.ts'
import { jsonStore } from '../../../src/fleet/stores.ts'
import { createAlertReceiver } from '../../../src/testing/alert-receiver.ts'
import { openBench, task } from '../../support/bench-fleet.ts'
import { journalOf } from '../../support/journal.ts'

const hook = 'https://hooks.slack.test/services/T0/B0/XYZZY'

function alerting(...channels: object[]) {
  return task('a', { alert_policy: { channels }, retry_policy: { max_attempts: 1 } })
}

test('AL3 what could never be delivered is refused at creation, all at once, by field: url, url_ref, secret_ref, routing_key, severity', async () => {
  const { fleet } = await openBench()
  const refused = [
    [{ kind: 'webhook' }, 'url: there is no address to post to'],
    [{ kind: 'slack', url: 'not a url' }, 'url: this is no URL'],
    [{ kind: 'webhook', url: 'http://receiver.test/XYZZY' }, 'url: alerts are sent over https only'],
    [{ kind: 'webhook', url_ref: { key: 'x', source: 'kept' } }, "url_ref: the source kept is the fleet's own"],
    [{ kind: 'webhook', url: hook, secret_ref: { key: 'x', source: 'kept' } }, "secret_ref: the source kept is the fleet's own"],
    [{ kind: 'pager_duty', routing_key: '<secret:kept.x>', severity: 'info' }, "routing_key: the source kept is the fleet's own"],
    [
      { kind: 'pager_duty', routing_key: '<secret:K>', severity: 'fatal' },
      'severity: PagerDuty knows the severities critical, error, warning, info',
    ],
  ] as const
  const error = await fleet
    .create({ name: 'r', tasks: [alerting(...refused.map(([channel]) => channel))] })
    .catch((caught: unknown) => caught)
  expect(error).toMatchObject({ code: 'unenforceable' })
  for (const [index, [, says]] of refused.entries())
    expect(String(error)).toContain(`tasks[0].alert_policy.channels[${index}].${says}`)
  expect(String(error)).not.toContain('XYZZY')
  expect(await fleet.runs()).toEqual([])
  const fine = [
    { kind: 'slack', url: hook },
    { kind: 'webhook', url_ref: 'HOOK' },
    { kind: 'webhook', url: 'http://127.0.0.1:1/' },
  ]
  const pager = { kind: 'pagerduty', routing_key: '<secret:K>', severity: 'info' }
  await expect(fleet.create({ name: 'r', tasks: [alerting(...fine, pager)] })).resolves.toBeDefined()
})

test('SE5 an address or a routing key that stands in a policy enters no entry, spec or error, and is delivered to all the same (alert_policy.channels.url)', async () => {
  const receiver = createAlertReceiver()
  const { fleet, clock, store, transport } = await openBench({ alerts: { sinks: receiver.sinks } })
  const channels = [
    { kind: 'slack', url: hook },
    { kind: 'webhook', url: hook, url_ref: 'HOOK' },
    { kind: 'pager_duty', routing_key: 'XYZZY-KEY', severity: 'error' },
  ]
  const run = await fleet.start({ name: 'r', tasks: [alerting(...channels)], open: true })
  await run.add([{ ...alerting(...channels), id: 'b' }])
  await clock.settle()
  transport.attempt('a').fail('no')
  await clock.settle()
  const written = JSON.stringify([await journalOf(store, run.id), await run.spec(), await run.tasks()])
  expect(written).not.toContain('XYZZY')
  const slack = receiver.received.find(({ channel }) => channel.kind === 'slack')?.channel
  expect(slack).toMatchObject({ kind: 'slack', url_ref: { source: 'kept', key: expect.stringMatching(/^[0-9a-f]{64}$/) } })
  // The reference wins over an address beside it.
  expect(receiver.received.find(({ channel }) => channel.kind === 'webhook')?.channel).toEqual({
    kind: 'webhook',
    url_ref: { key: 'HOOK' },
  })
})

test('SE5 a kept address lies beside the journal, and the store is whole with it', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'flotilla-alerts-'))
  onTestFinished(() => rm(folder, { recursive: true }))
  const fleet = await createFleet({ store: jsonStore({ folder }), handlers: { work: () => 'done' } })
  const spec = { name: 'r', tasks: [{ ...alerting({ kind: 'slack', url: hook }), handler: 'work' }] }
  const run = await fleet.create(spec, { idempotencyKey: 'k' })
  // The same spec is the same run.
  expect((await fleet.create(spec, { idempotencyKey: 'k' })).id).toBe(run.id)
  await fleet.close()
  const files = (await readdir(folder, { recursive: true, withFileTypes: true })).filter((file) => file.isFile())
  const holding: string[] = []
  for (const { parentPath, name } of files)
    if ((await readFile(join(parentPath, name), 'utf8')).includes('XYZZY')) holding.push(parentPath)
  expect(holding).toEqual([join(folder, 'runs', run.id, 'blobs')])
  expect((await inspectStore({ folder })).findings).toEqual([])
})

test('AL4 a fleet does not deliver to an inner address unless the application allows it (alerts.allowPrivateAddresses)', async () => {
  const fleet = await createFleet({
    handlers: {
      fail() {
        throw new Error('no')
      },
    },
  })
  const run = await fleet.start({
    name: 'r',
    tasks: [{ ...alerting({ kind: 'webhook', url: 'https://127.0.0.1:9/x' }), handler: 'fail' }],
  })
  const given = fleet.once('alert.given_up')
  await run.result()
  expect((await given).payload).toMatchObject({ tries: 1, reason: expect.stringContaining('not one of the public internet') })
  await fleet.close()
})

test('AL5 dryRunAlerts shows every alert of every policy, by class and channel, with its thresholds and secrets covered', () => {
  const channels = [
    { kind: 'slack', url: hook },
    { kind: 'webhook', url_ref: 'HOOK', secret_ref: 'SIGNING' },
  ] as never
  const spec = {
    name: 'r',
    tasks: [
      {
        ...task('a'),
        alert_policy: { channels, after_attempts: 2, after_minutes_stale: 5, events: ['stale', 'needs_human'] as never },
      },
      { ...task('b'), alert_policy: { channels } },
      task('c'),
    ],
  }
  const all = dryRunAlerts(spec)
  expect(all.map((one) => `${one.task_id} ${one.class} ${one.channel}`)).toHaveLength(2 * 2 + 6 * 2)
  expect(all[0]).toMatchObject({
    task_id: 'a',
    class: 'stale',
    channel: 'slack',
    place: 0,
    after_attempts: 2,
    after_minutes_stale: 5,
  })
  expect(all.find((one) => one.class === 'needs_human')).not.toHaveProperty('after_attempts')
  expect(JSON.stringify(all)).not.toContain('XYZZY')
  expect(all[1]?.request).toMatchObject({
    url: '<secret:HOOK>',
    headers: { 'webhook-signature': 'v1,<signed with <secret:SIGNING>>' },
  })
  expect(dryRunAlerts(spec, { classes: ['stale'] }).map(({ task_id }) => task_id)).toEqual(['a', 'a', 'b', 'b'])
})

test('AL3 an application may bring a sink of its own (alerts.sinks)', async () => {
  const receiver = createAlertReceiver()
  const { fleet, clock, transport } = await openBench({ alerts: { sinks: { webhook: receiver.sinks.webhook } } })
  await fleet.start({ name: 'r', tasks: [alerting({ kind: 'webhook', url_ref: 'NONE' })] })
  await clock.settle()
  transport.attempt('a').fail('no')
  await clock.settle()
  expect(receiver.received.map(({ alert }) => alert.class)).toEqual(['restart_exhausted'])
})
