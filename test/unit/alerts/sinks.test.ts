import { randomBytes } from 'node:crypto'
import { Webhook } from 'standardwebhooks'
import { expect, test } from 'vitest'
import { addressPolicy } from '../../../src/alerts/address-policy.ts'
import { createHttpSender } from '../../../src/alerts/http-sender.ts'
import { createAlertSinks } from '../../../src/alerts/sinks.ts'
import { systemClock } from '../../../src/host/clock.ts'
import type { Alert } from '../../../src/ports/alert-sink.ts'
import { alertEventClasses } from '../../../src/protocol/alert.ts'
import { openReceiver, testAuthority } from '../../support/alert-receiver.ts'
import type { HttpReceiver, ReceivedRequest } from '../../support/alert-receiver.ts'

const signal = new AbortController().signal
const newSecret = () => `whsec_${randomBytes(24).toString('base64')}`

const alert: Alert = {
  id: 'alert_abc_7_0',
  action: 'trigger',
  class: 'restart_exhausted',
  incident: 'abc/build/restart_exhausted',
  run: { id: 'run-1', name: 'Nightly' },
  task: { id: 'build', name: 'Build <!channel> & co' },
  attempt: 3,
  worker: 'w1',
  reason: 'exit code 2 <https://evil.test|click>',
  raisedAt: Date.parse('2026-01-02T03:04:05.678Z'),
}

function sinksFor(receiver: HttpReceiver, secrets: Record<string, string> = {}) {
  const clock = systemClock()
  const send = createHttpSender({
    policy: addressPolicy({ private: true }),
    clock,
    ca: testAuthority,
    resolve: async () => ['127.0.0.1'],
  })
  const url = `https://receiver.test:${receiver.port}/hook`
  const values: Record<string, string> = { HOOK: url, ...secrets }
  return createAlertSinks({ send, clock, secret: async ({ key }) => values[key], pagerDutyUrl: url })
}

/** Verifies as a receiver would. */
function verify(secret: string | Webhook, { body, headers }: ReceivedRequest, changed = body): unknown {
  const webhook = typeof secret === 'string' ? new Webhook(secret) : secret
  return webhook.verify(changed, headers as Record<string, string>)
}

const webhook = { kind: 'webhook', url_ref: { key: 'HOOK' }, secret_ref: { key: 'SIGNING' } } as const

test('AL3 a receiver written with standardwebhooks accepts the signature, and refuses a changed byte, id, time or secret (alert_policy.channels.secret_ref)', async () => {
  await using receiver = await openReceiver()
  const SIGNING = newSecret()
  expect(await sinksFor(receiver, { SIGNING }).webhook.deliver(alert, webhook, { signal })).toEqual({ delivered: true })
  const [request] = receiver.requests
  if (request === undefined) throw new Error('Nothing came in.')
  expect(verify(SIGNING, request)).toMatchObject({
    type: 'flotilla.alert.restart_exhausted',
    timestamp: '2026-01-02T03:04:05.678Z',
    data: {
      alert_id: alert.id,
      class: 'restart_exhausted',
      run_id: 'run-1',
      task_id: 'build',
      attempt: 3,
      worker_id: 'w1',
      reason: alert.reason,
    },
  })
  expect(request.headers).toMatchObject({ 'webhook-id': alert.id, 'content-type': 'application/json' })
  for (let at = 0; at < request.body.length; at += 7) {
    const changed = `${request.body.slice(0, at)}${request.body[at] === 'x' ? 'y' : 'x'}${request.body.slice(at + 1)}`
    expect(() => verify(SIGNING, request, changed)).toThrow('No matching signature found')
  }
  const with_ = (headers: Record<string, string>): ReceivedRequest => ({
    ...request,
    headers: { ...request.headers, ...headers },
  })
  expect(() => verify(SIGNING, with_({ 'webhook-id': 'alert_abc_7_1' }))).toThrow()
  expect(() =>
    verify(SIGNING, with_({ 'webhook-timestamp': String(Number(request.headers['webhook-timestamp']) + 1) })),
  ).toThrow()
  expect(() => verify(newSecret(), request)).toThrow()
})

test('AL3 with several secrets each of them verifies, so that one can be replaced without a gap', async () => {
  await using receiver = await openReceiver()
  const [old, next] = [newSecret(), newSecret()]
  const sinks = sinksFor(receiver, { SIGNING: ` ${old}\n${next} ` })
  expect(await sinks.webhook.deliver(alert, webhook, { signal })).toEqual({ delivered: true })
  const [request] = receiver.requests
  if (request === undefined) throw new Error('Nothing came in.')
  for (const secret of [old, next]) expect(verify(secret, request)).toMatchObject({ data: { alert_id: alert.id } })
  expect(String(request.headers['webhook-signature']).split(' ')).toHaveLength(2)
  expect(() => verify(newSecret(), request)).toThrow()
})

test('AL3 a secret without the prefix is the key itself', async () => {
  await using receiver = await openReceiver()
  await sinksFor(receiver, { SIGNING: 'plain-words' }).webhook.deliver(alert, webhook, { signal })
  const [request] = receiver.requests
  if (request === undefined) throw new Error('Nothing came in.')
  expect(verify(new Webhook('plain-words', { format: 'raw' }), request)).toMatchObject({ data: { alert_id: alert.id } })
})

test('AL3 what has no value is not sent, and told by the secret’s name alone (alert_policy.channels.url_ref)', async () => {
  await using receiver = await openReceiver()
  const sinks = sinksFor(receiver)
  expect(await sinks.webhook.deliver(alert, webhook, { signal })).toEqual({
    delivered: false,
    reason: 'there is no value for <secret:SIGNING>',
  })
  const elsewhere = { kind: 'webhook', url_ref: { key: 'NONE', source: 'env' } } as const
  expect(await sinks.webhook.deliver(alert, elsewhere, { signal })).toEqual({
    delivered: false,
    reason: 'there is no value for <secret:env.NONE>',
  })
  const pager = { kind: 'pager_duty', routing_key: '<secret:PAGER>', severity: 'error' } as const
  expect(await sinks.pager_duty.deliver(alert, pager, { signal })).toEqual({
    delivered: false,
    reason: 'there is no value for <secret:PAGER>',
  })
  expect(receiver.requests).toEqual([])
  // Unsigned where the policy names no secret.
  expect(await sinks.webhook.deliver(alert, { kind: 'webhook', url_ref: { key: 'HOOK' } }, { signal })).toEqual({
    delivered: true,
  })
  expect(receiver.requests[0]?.headers['webhook-signature']).toBeUndefined()
})

test('AL3 Slack gets blocks whose texts can neither mention nor link', async () => {
  await using receiver = await openReceiver()
  const sinks = sinksFor(receiver)
  for (const name of alertEventClasses)
    expect(await sinks.slack.deliver({ ...alert, class: name }, { kind: 'slack', url_ref: { key: 'HOOK' } }, { signal })).toEqual(
      { delivered: true },
    )
  expect(receiver.requests).toHaveLength(alertEventClasses.length)
  for (const { body } of receiver.requests) {
    expect(body).not.toMatch(/<|>/)
    const message = JSON.parse(body) as { text: string; blocks: { type: string }[] }
    expect(message.text).toContain('(Nightly)')
    expect(message.blocks.map(({ type }) => type)).toEqual(['section', 'section', 'context'])
  }
  expect(receiver.requests[1]?.body).toContain('Build &lt;!channel&gt; &amp; co')
})

test('AL3 PagerDuty gets a trigger with a dedup_key, and a resolve with the same one (alert_policy.channels.routing_key, alert_policy.channels.severity)', async () => {
  await using receiver = await openReceiver()
  const sinks = sinksFor(receiver, { PAGER: 'R0UT1NG' })
  const channel = { kind: 'pager_duty', routing_key: '<secret:PAGER>', severity: 'critical' } as const
  await sinks.pager_duty.deliver(alert, channel, { signal })
  await sinks.pager_duty.deliver({ ...alert, action: 'resolve' }, channel, { signal })
  const [trigger, resolve] = receiver.requests.map(({ body }) => JSON.parse(body) as Record<string, unknown>)
  expect(trigger).toMatchObject({
    routing_key: 'R0UT1NG',
    event_action: 'trigger',
    dedup_key: 'abc/build/restart_exhausted',
    payload: {
      severity: 'critical',
      source: 'flotilla/run-1',
      component: 'build',
      class: 'restart_exhausted',
      custom_details: { attempt: 3 },
    },
  })
  expect(resolve).toEqual({ routing_key: 'R0UT1NG', event_action: 'resolve', dedup_key: 'abc/build/restart_exhausted' })
  expect(sinks.pager_duty.resolves).toBe(true)
})

test('AL5 a preview covers every secret, resolves none, and sends nothing', async () => {
  await using receiver = await openReceiver()
  const clock = systemClock()
  const asked: string[] = []
  const sinks = createAlertSinks({
    send: () => Promise.reject(new Error('nothing may be sent')),
    clock,
    secret: async ({ key }) => void asked.push(key),
  })
  const shown = [
    sinks.webhook.preview(alert, {
      kind: 'webhook',
      url: 'https://hooks.test/services/T0/B0/XYZZY',
      secret_ref: { key: 'S', source: 'env' },
    }),
    sinks.slack.preview(alert, { kind: 'slack', url_ref: { key: 'SLACK' } }),
    sinks.pager_duty.preview(alert, { kind: 'pager_duty', routing_key: 'XYZZY', severity: 'error' }),
    sinks.pager_duty.preview(alert, { kind: 'pager_duty', routing_key: '<secret:PAGER>', severity: 'error' }),
  ]
  expect(JSON.stringify(shown)).not.toContain('XYZZY')
  expect(shown.map(({ url }) => url)).toEqual([
    'https://hooks.test/<redacted>',
    '<secret:SLACK>',
    'https://events.pagerduty.com/v2/enqueue',
    'https://events.pagerduty.com/v2/enqueue',
  ])
  expect(shown[0]?.headers['webhook-signature']).toBe('v1,<signed with <secret:env.S>>')
  expect(shown[2]?.body).toMatchObject({ routing_key: '<redacted>' })
  expect(shown[3]?.body).toMatchObject({ routing_key: '<secret:PAGER>' })
  expect(asked).toEqual([])
  expect(receiver.requests).toEqual([])
})
