import { expect, test } from 'vitest'
import type { Changes, Entry } from '../../../src/engine/entry.ts'
import { wholeReceipt } from '../../../src/engine/receipt-record.ts'
import { missingArtifacts, receiptOf, spentMs } from '../../../src/engine/receipt.ts'
import type { ReceiptFacts } from '../../../src/engine/receipt.ts'
import { isLeased } from '../../../src/engine/state.ts'
import type { FleetReceipt } from '../../../src/protocol/receipt.ts'
import { usualTerms } from '../../../src/security/trust.ts'
import { decidedRun } from '../../support/decided-run.ts'
import type { DecidedRun } from '../../support/decided-run.ts'

const log = { kind: 'log', path: 'log.txt' }
const patch = { kind: 'patch', path: 'a.patch' }
const route = { provider_id: 'p', provider_kind: 'k', protocol: 'h', wire_model_id: 'm' }

function leased(spec: object = {}, more: Changes = {}): DecidedRun {
  const bench = decidedRun({ a: { ...spec } })
  bench.lease('a')
  bench.set('a', more)
  return bench
}
const report = (bench: DecidedRun, artifact: object) =>
  bench.decide(function* () {
    const events = [{ state: 'artifact', ...artifact }] as never
    yield { on: 'r', kind: 'task.reported', task: 'a', attempt: 1, worker: 'w1', workerSeq: 1, events }
  })
const record = ({ clock, task }: DecidedRun, more: Partial<ReceiptFacts> = {}) =>
  receiptOf(task('a'), { result: 'pass', at: clock.now(), terminalSeq: 0, reported: {}, ...more })

/** As whoever reads it finds it. */
function receipt(bench: DecidedRun, more: Partial<ReceiptFacts> = {}): FleetReceipt {
  const [at, { attempt, ...task }] = [bench.clock.now(), bench.task('a')]
  const live = isLeased(task.status)
  const entry: Entry = {
    ...{ seq: 9, at, kind: 'task.stepped', task: 'a', ...more.reported, receipt: record(bench, more) },
    ...(live && { attempt, set: { spentMs: spentMs(bench.task('a'), more.until ?? at) } }),
  }
  const whole = wholeReceipt('r', JSON.parse(JSON.stringify(entry)) as Entry)
  if (whole === undefined) throw new Error('The entry has no receipt.')
  return whole
}

test('VE6 BU4 the receipt of a live attempt names it and its worker, what it was held to and what it spent, and nothing else', async () => {
  const bench = leased()
  await bench.clock.advance(2_500)
  const [run_id, task_id, worker_id, attempt] = ['r', 'a', 'w1', 1] as const
  expect(receipt(bench)).toStrictEqual({
    ...{ run_id, task_id, worker_id, attempt },
    ...{ terminal_seq: 0, completed_at: new Date(bench.clock.now()).toISOString(), result: 'pass', artifacts: [] },
    effective_permissions: usualTerms.permissions,
    spent: { tokens: 0, tool_calls: 0, seconds: 2.5 },
  })
})

test('CO4 a record leaves out what its entry says: who reported, its last event, and the time where nothing else was spent', () => {
  const reported = { worker: 'w1', workerSeq: 2, events: [{ state: 'completed' }] } as const
  const usual = { result: 'pass', effective_permissions: 'local' }
  expect(record(leased(), { reported, terminalSeq: 2 })).toStrictEqual(usual)
  // The event behind the last of its attempt is of the next one; and nobody reported anything.
  expect(record(leased(), { reported, terminalSeq: 1 })).toStrictEqual({ terminal_seq: 1, ...usual })
  expect(record(leased(), { terminalSeq: 1 })).toStrictEqual({ worker_id: 'w1', terminal_seq: 1, ...usual })
  const called = leased({}, { toolCalls: 1, spentMs: 4_000 })
  const until = called.clock.now() + 1_500
  expect(record(called, { reported, terminalSeq: 2, until })).toMatchObject({ spent: { tool_calls: 1, seconds: 5.5 } })
  expect(record(called, { reported, terminalSeq: 2 })).toMatchObject({ spent: { seconds: 4 } })
  const waiting = leased({}, { spentMs: 1_500 })
  waiting.set('a', { status: 'enqueued' })
  expect(record(waiting, { reported: { worker: 'fleet' }, hadWorker: false })).toStrictEqual({
    ...{ terminal_seq: 0, result: 'pass', spent: { tokens: 0, tool_calls: 0, seconds: 1.5 } },
  })
})

test('VE6 what an end adds stands in the receipt: its last event, failure, score, output, evidence, and its artifacts behind the others', () => {
  const bench = leased()
  report(bench, log)
  const facts = {
    terminalSeq: 4,
    failureKind: 'task',
    score: { value: 1, max: 2 },
    output: false,
    evidence: 'It is so.',
  } as const
  expect(receipt(bench, { ...facts, artifacts: [patch] })).toMatchObject({
    ...{ terminal_seq: 4, failure_kind: 'task', score: { value: 1, max: 2 }, output: false, evidence: 'It is so.' },
    artifacts: [log, patch],
  })
  for (const nothing of [{ output: null, evidence: '' }, {}])
    for (const name of ['output', 'evidence']) expect(receipt(bench, nothing)).not.toHaveProperty(name)
  expect(receipt(bench, { evidence: 'é'.repeat(5_000) }).evidence).toMatch(/^é+…$/)
})

test('RU5 VE6 the receipt of a task that waits is of no attempt, and the fleet signs it', () => {
  const bench = leased({}, { spentMs: 1_500 })
  report(bench, log)
  bench.set('a', { status: 'enqueued' })
  const found = receipt(bench, { artifacts: [patch], hadWorker: false })
  expect(found).toMatchObject({ worker_id: 'fleet', artifacts: [patch], spent: { seconds: 1.5 } })
  for (const name of ['attempt', 'effective_permissions']) expect(found).not.toHaveProperty(name)
  // Control: a worker that had it when it ended.
  expect(receipt(bench)).toHaveProperty('effective_permissions')
  const never = decidedRun({ a: {} })
  expect(receipt(never)).not.toHaveProperty('effective_permissions')
})

test('BU3 BU4 the tokens and tool calls of all attempts are told; a task without tokens has no usage', () => {
  const spent = (more: Changes) => receipt(leased({}, more))
  expect(spent({ inputTokens: 2, outputTokens: 3, toolCalls: 4 })).toMatchObject({
    ...{ usage: { input_tokens: 2, output_tokens: 3 }, spent: { tokens: 5, tool_calls: 4 } },
  })
  expect(spent({ outputTokens: 1 })).toMatchObject({ usage: { input_tokens: 0, output_tokens: 1 }, spent: { tokens: 1 } })
  expect(spent({ toolCalls: 4 })).not.toHaveProperty('usage')
})

test('BU1 the time of a live lease counts until the end, or until it was last known to work; no clock that goes back takes any', async () => {
  const bench = leased({}, { spentMs: 1_000 })
  await bench.clock.advance(4_000)
  const now = bench.clock.now()
  const spent = () => [now, now - 3_000, now - 60_000].map((at) => spentMs(bench.task('a'), at))
  expect(spent()).toEqual([5_000, 2_000, 1_000])
  expect(receipt(bench, { until: now - 3_000 }).spent?.seconds).toBe(2)
  bench.set('a', { status: 'verifying' })
  expect(spent()).toEqual([5_000, 2_000, 1_000])
  // Waiting costs nothing.
  bench.set('a', { status: 'enqueued' })
  expect(spent()).toEqual([1_000, 1_000, 1_000])
})

test('SE1 the receipt says what the attempt was held to, with the tools and profile that it was given, and the route that it took', () => {
  const permissions = { ...usualTerms.permissions, network: false, source: 'trust level sandbox' }
  expect(receipt(leased({}, { permissions })).effective_permissions).toEqual(permissions)
  const asked = receipt(leased({ worker: { agent_profile: 'careful', role: 'reviewer', tools: ['grep'] } }, { permissions }))
  expect(asked).toMatchObject({
    effective_permissions: { network: false, tool_scope: 'explicit', tools: ['grep'], profile_id: 'careful' },
    profile: { profile_id: 'careful', role: 'reviewer' },
  })
  expect(asked).not.toHaveProperty('resolved_route')
  const routed = receipt(leased({}, { route }))
  expect(routed).toMatchObject({ resolved_route: { provider_id: 'p', wire_model_id: 'm' } })
  expect(routed).not.toHaveProperty('profile')
})

test('AR5 of the kinds that are expected each artifact meets one; what is left is missing', () => {
  const missing = (expected_artifacts: string[], ...had: object[]) => {
    const bench = leased({ expected_artifacts })
    return missingArtifacts(bench.task('a'), had as never)
  }
  expect(missing([])).toEqual([])
  expect(missing([], log)).toEqual([])
  expect(missing(['log', 'patch'], patch, log)).toEqual([])
  expect(missing(['log', 'patch', 'report'], patch)).toEqual(['log', 'report'])
  expect(missing(['log', 'log'], log)).toEqual(['log'])
  expect(missing(['log', 'log', 'patch'], log, patch, log)).toEqual([])
  const bench = leased({ expected_artifacts: ['log', 'patch'] })
  report(bench, log)
  expect(missingArtifacts(bench.task('a'), [])).toEqual(['patch'])
})
