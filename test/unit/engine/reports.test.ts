import { expect, test } from 'vitest'
import type { Core } from '../../../src/engine/core.ts'
import type { Effects } from '../../../src/engine/effects.ts'
import type { Entry } from '../../../src/engine/entry.ts'
import type { AttemptPresence } from '../../../src/engine/presence.ts'
import { createReports } from '../../../src/engine/reports.ts'
import type { Reports } from '../../../src/engine/reports.ts'
import type { RunState } from '../../../src/engine/state.ts'
import type { Worker, Workers } from '../../../src/engine/workers.ts'
import type { ArtifactMessage, AttemptMessage } from '../../../src/protocol/wire.ts'
import type { AttemptPlace } from '../../../src/ports/collector.ts'
import { FleetError } from '../../../src/protocol/errors.ts'
import { createSecretsInUse } from '../../../src/security/secrets-in-use.ts'
import { said } from '../../support/drafts.ts'
import { watchedRun } from '../../support/watched-run.ts'
import type { WatchedRun } from '../../support/watched-run.ts'
import { receiptIn } from '../../support/receipt-in.ts'

const at = { run_id: 'r', task_id: 'a', attempt: 1 }
const place: AttemptPlace = { ...at, folder: '/f', root: '/w' }
const log = { kind: 'log', path: 'log.txt' }
const patch = { kind: 'patch', path: 'a.patch', size_bytes: 3 }
const secret = 'correct-horse-battery'
const untried = { retry_policy: { max_attempts: 1 } }

interface Heard extends WatchedRun {
  readonly reports: Reports
  readonly worker: Worker
  readonly presence: AttemptPresence
  /** What went out: to the collector, to the worker, to whoever looks after workers and turns. */
  readonly out: unknown[][]
  readonly inUse: Core['inUse']
  /** What the collector does next; the usual thing without. */
  readonly collector: { log?: () => Promise<void>; collect?: () => Promise<never>; finish?: () => Promise<never> }
  /** Runs that are read from the store when they are asked for. */
  readonly away: Map<string, RunState>
  /** Something that the worker says; of the live attempt unless it says otherwise. */
  hears(message: Record<string, unknown> & { type: AttemptMessage['type'] }, from?: Worker): Entry[]
}

const workerOf = (id: string, out: unknown[][], more: Partial<Worker> = {}) =>
  ({
    ...{ facts: { id }, status: 'busy', draining: false, abandoned: new Set<string>() },
    channel: { send: (message: unknown) => out.push(['send', id, message]) },
    ...more,
  }) as unknown as Worker

/** An attempt of the task `a` that its worker has, and that it speaks of. */
function heard(spec: Record<string, unknown> = {}, { awaits = false } = {}): Heard {
  const bench = watchedRun({ a: spec, other: {} })
  bench.lease('a', awaits ? { awaits } : {})
  const presence = bench.begin('a')
  presence.place = place
  const out: unknown[][] = []
  const collector: Heard['collector'] = {}
  const inUse = createSecretsInUse()
  const away: Heard['away'] = new Map()
  const core = {
    ...bench.core,
    inUse,
    turns: { ...bench.core.turns, nudge: () => void out.push(['nudge']) },
    collector: {
      async log(_: AttemptPlace, text: string) {
        await collector.log?.()
        out.push(['log', text])
      },
      collect: async (_: AttemptPlace, report: ArtifactMessage) =>
        (await collector.collect?.()) ?? { kind: report.kind, path: report.path, size_bytes: 3 },
      finish: async () => (await collector.finish?.()) ?? log,
    },
  } as unknown as Core
  const workers = {
    step: (worker: Worker, event: unknown) => out.push(['step', worker.facts.id, event]),
    settle: (worker: Worker) => out.push(['settle', worker.facts.id]),
  } as unknown as Workers
  const stop: Effects['stop'] = (worker, key, code) => void out.push(['stop', worker, key, code])
  const use = async (id: string, act: (run: RunState | undefined) => Promise<unknown>) => {
    const run = away.get(id)
    if (run === undefined) throw new Error('It cannot be read.')
    bench.state.runs.set(id, run)
    return act(run)
  }
  const reports = createReports(core, workers, { stop } as Effects, use as never)
  const worker = workerOf('w1', out)
  return {
    ...{ ...bench, reports, worker, presence, out, inUse, collector, away },
    hears(message, from = worker) {
      const before = bench.entries.length
      reports.take(from, { ...at, ...message } as unknown as AttemptMessage)
      return bench.entries.slice(before)
    },
  }
}
const kinds = (entries: readonly Entry[]) => entries.flatMap(({ events = [] }) => events.map(({ state }) => state))
const artifact = { type: 'artifact', report: 2, kind: 'patch', path: 'a.patch' } as const
const usage = { type: 'usage', input_tokens: 5, output_tokens: 0 } as const
const progress = (seq?: number) => ({
  type: 'progress' as const,
  event: { state: 'model_wait' },
  ...(seq !== undefined && { seq }),
})
const says = expect.stringMatching(/./) as string

test('LE3 any message of its attempt moves the deadline; all but a heartbeat are progress', async () => {
  const bench = heard()
  const { presence, core, clock } = bench
  const began = presence.lastProgress
  await clock.advance(9_000)
  const now = core.deadlines.leaseNow()
  bench.hears({ type: 'heartbeat' })
  expect(presence).toMatchObject({ deadline: now + 60_000, lastHeardAt: clock.now(), lastProgress: began })
  await clock.advance(1_000)
  bench.hears(progress())
  expect(presence).toMatchObject({ deadline: now + 61_000, lastHeardAt: clock.now(), lastProgress: now + 1_000 })
})

test('EV6 a heartbeat is told live with what it measured, and written down only where it shows that the work was accepted', () => {
  const bench = heard()
  expect(bench.hears({ type: 'heartbeat', cpu_percent: 9 })).toEqual([])
  expect(bench.announced).toMatchObject([{ event: 'worker.heartbeat', task_id: 'a', payload: { cpu_percent: 9 } }])
  const begun = heard({}, { awaits: true })
  expect(begun.hears({ type: 'heartbeat' })).toMatchObject([{ task: 'a', attempt: 1, set: { status: 'running' } }])
})

test('WO3 a heartbeat of an attempt that is to end is not told', () => {
  const bench = heard({}, { awaits: true })
  bench.core.presence.linger(bench.presence)
  expect([bench.hears({ type: 'heartbeat' }), bench.announced]).toEqual([[], []])
})

test('WO a worker that was unhealthy is well when it is heard, whatever it says, and may get work at once', () => {
  const bench = heard()
  bench.worker.status = 'unhealthy'
  bench.worker.draining = true
  bench.hears({ type: 'heartbeat', attempt: 7 })
  const recover = { type: 'recover', leases: 1, draining: true }
  expect(bench.out.slice(0, 2)).toEqual([['step', 'w1', recover], ['nudge']])
  const idle = heard()
  const other = workerOf('w2', idle.out, { status: 'unhealthy' })
  idle.hears({ type: 'heartbeat' }, other)
  expect(idle.out[0]).toEqual(['step', 'w2', { type: 'recover', leases: 0, draining: false }])
  // Control: one that is well stays as it is.
  const well = heard()
  well.hears({ type: 'heartbeat' })
  expect(well.out).toEqual([])
})

test('LE2 what carries another attempt, or comes from another worker, changes no task, and its worker is told to stop', () => {
  const bench = heard()
  const other = workerOf('w2', bench.out)
  const { deadline } = bench.presence
  for (const message of [
    progress(),
    { type: 'accepted' },
    { type: 'heartbeat' },
    { type: 'log', text: 'x' },
    artifact,
  ] as const) {
    expect(bench.hears({ ...message, attempt: 2 })).toEqual([])
    expect(bench.hears(message, other)).toEqual([])
    const stops = [
      ['stop', 'w1', { ...at, attempt: 2 }, 'lease_lost'],
      ['stop', 'w2', at, 'lease_lost'],
    ]
    expect(bench.out.splice(0)).toEqual(stops)
  }
  expect([bench.reports.late, bench.presence.deadline]).toEqual([10, deadline])
})

test('EV5 WO3 the end of an attempt that is not known frees the slot that it was counted in; only a confirmed stop is not late', () => {
  const bench = heard()
  const ends = [{ type: 'stopped' }, { type: 'result' }, { type: 'failed', reason: 'x', failure_kind: 'task' }] as const
  const late = ends.map((message) => {
    bench.worker.abandoned.add('r/a/2').add('r/a/3')
    expect(bench.hears({ ...message, attempt: 2 })).toEqual([])
    expect([...bench.worker.abandoned].map(String)).toEqual(['r/a/3'])
    // Nobody is told to stop what has ended.
    expect(bench.out.splice(0)).toEqual([['nudge']])
    return bench.reports.late
  })
  expect(late).toEqual([0, 1, 2])
  expect(bench.task('a').status).toBe('running')
})

test('HO7 what was kept is known by its number, and not kept again when it is repeated', () => {
  const bench = heard({}, { awaits: true })
  expect(bench.hears({ type: 'accepted', seq: 1 })[0]).toMatchObject({
    set: { status: 'running', heard: { attempt: 1, seq: 1 } },
  })
  expect(bench.hears(progress(2))[0]?.set).toStrictEqual({ heard: { attempt: 1, seq: 2 } })
  expect(bench.hears(progress(2))).toEqual([])
  expect(bench.hears(progress(1))).toEqual([])
  expect(kinds(bench.hears(progress(3)))).toEqual(['model_wait'])
  expect(bench.hears({ ...usage, seq: 4 })[0]).toMatchObject({ set: { inputTokens: 5, heard: { seq: 4 } } })
  expect(bench.hears({ type: 'route', route: { provider_id: 'p', provider_kind: 'k', protocol: 'h' }, seq: 5 })[0]).toMatchObject(
    {
      set: { route: { provider_id: 'p' }, heard: { seq: 5 } },
    },
  )
  // Without a number nothing is noted; that of another attempt says nothing of this one.
  expect(bench.hears(progress())[0]?.set).toStrictEqual({})
  bench.set('a', { heard: { attempt: 0, seq: 99 } })
  expect(bench.hears(progress(6))).toHaveLength(1)
})

test('HO7 a number is noted with the first entry that speaks of the attempt, and with no other', () => {
  const bench = heard({ budget: { max_tokens: 4 } })
  const entries = bench.hears({ ...usage, seq: 4 })
  expect(entries.map(({ kind, set }) => [kind, set?.heard])).toEqual([
    ['task.reported', { attempt: 1, seq: 4 }],
    ['task.over_budget', undefined],
  ])
})

test('CO1 what was reported is decided upon what there is by then: of an attempt that is over, nothing', () => {
  const bench = heard({}, { awaits: true })
  const route = { provider_id: 'p', provider_kind: 'k', protocol: 'h' }
  bench.hold()
  for (const message of [{ type: 'accepted' }, progress(), { type: 'route', route }] as const) bench.hears(message)
  bench.hears(usage)
  bench.set('a', { status: 'cancelled' })
  bench.release()
  // Spend counts all the same (BU3).
  expect(said(bench.entries)).toEqual([
    { kind: 'task.reported', task: 'a', attempt: 1, set: { inputTokens: 5, outputTokens: 0 } },
  ])
  const gone = heard()
  gone.hold()
  gone.hears(usage)
  gone.state.runs.delete('r')
  gone.release()
  expect(gone.entries).toEqual([])
})

test('BU1 a tool call counts once per call id; one without an id counts each time; other progress is no call', () => {
  const bench = heard()
  const calls = [{ call_id: '1' }, { call_id: '1' }, { call_id: '2' }, {}, {}, { call_id: '2' }].map((call) => {
    bench.hears({ type: 'progress', event: { state: 'running_tool', tool: 'x', ...call } })
    return bench.task('a').toolCalls
  })
  expect(calls).toEqual([1, 1, 2, 3, 4, 4])
  bench.hears({ type: 'progress', event: { state: 'model_wait', call_id: '9' } })
  expect(bench.task('a').toolCalls).toBe(4)
})

test('EV1 what an attempt says keeps its order while something of it is still written down, and waits no longer', async () => {
  const bench = heard()
  let open = (): void => undefined
  bench.collector.log = () => new Promise((resolve) => (open = resolve))
  expect(bench.hears({ type: 'log', text: 'one' })).toEqual([])
  expect(bench.hears(progress())).toEqual([])
  let isTaken = false
  let isIdle = false
  void bench.reports.taken().then(() => (isTaken = true))
  void bench.reports.idle().then(() => (isIdle = true))
  await bench.clock.settle()
  expect([isTaken, isIdle, bench.entries]).toEqual([false, false, []])
  delete bench.collector.log
  open()
  await bench.clock.settle()
  expect([isTaken, isIdle, kinds(bench.entries)]).toEqual([true, true, ['model_wait']])
  expect(bench.out).toEqual([['log', 'one']])
  // Another one does not wait.
  expect(kinds(bench.hears(progress()))).toEqual(['model_wait'])
})

test('SC4 a log that cannot be written does not end what writes it, and what comes after it is taken', async () => {
  const bench = heard()
  bench.collector.log = () => Promise.reject(new Error('The disk is full.'))
  bench.hears({ type: 'log', text: 'one' })
  bench.hears(progress())
  await bench.reports.idle()
  expect([kinds(bench.entries), bench.presence.logged]).toEqual([['model_wait'], true])
})

test('AR5 before an attempt was handed over there is nowhere to keep what it writes or leaves', async () => {
  const bench = heard()
  bench.presence.place = undefined
  bench.hears({ type: 'log', text: 'x' })
  bench.hears(artifact)
  await bench.reports.idle()
  expect([bench.out, bench.entries]).toEqual([[], []])
  expect(receiptIn(bench.hears({ type: 'result' })[0]).artifacts).toEqual([])
})

test('SE5 a route that may not be on a receipt is not taken, and the log of its attempt says so', async () => {
  const bench = heard()
  bench.hears({
    type: 'route',
    route: { provider_id: 'sk-ant-api03-AAAAAAAAAAAAAAAAAAAAAAAA', provider_kind: 'k', protocol: 'h' },
  })
  await bench.reports.idle()
  expect([bench.entries, bench.presence.logged]).toEqual([[], true])
  expect(bench.out).toEqual([['log', expect.stringMatching(/provider_id[\s\S]*\n.+\n$/)]])
})

const collected = { type: 'collected', ...at, report: 2 }

test('AR2 an artifact is recorded as the fleet found it, with the number of its message, and its worker is told', async () => {
  const bench = heard()
  bench.hears({ ...artifact, seq: 3 })
  await bench.reports.idle()
  expect(said(bench.entries)).toStrictEqual([
    {
      ...{ kind: 'task.reported', task: 'a', attempt: 1, worker: 'w1', workerSeq: 1 },
      ...{ events: [{ state: 'artifact', ...patch }], set: { heard: { attempt: 1, seq: 3 } } },
    },
  ])
  expect(bench.out).toEqual([['send', 'w1', { ...collected, artifact: patch }]])
  // Whoever did not hear the answer gets it again; it is recorded once (HO7).
  bench.hears({ ...artifact, seq: 3 })
  await bench.reports.idle()
  expect([bench.entries.length, bench.out[1]]).toEqual([1, ['send', 'w1', { ...collected, artifact: patch }]])
  // One that cannot be told any more is no reason to stop.
  bench.worker.channel = undefined
  bench.hears({ ...artifact, seq: 4 })
  await bench.reports.idle()
  expect(bench.entries).toHaveLength(2)
})

test('AR2 SE5 an artifact that is refused is not recorded; its worker is told why, without a secret', async () => {
  const refused = async (error: unknown) => {
    const bench = heard()
    bench.inUse.use([{ key: 'TOKEN', value: secret }])
    bench.collector.collect = () => Promise.reject(error as Error)
    bench.hears(artifact)
    await bench.reports.idle()
    expect(bench.entries).toEqual([])
    return bench.out
  }
  const told = (reason: unknown) => [['send', 'w1', { ...collected, refused: reason }]]
  expect(await refused(new FleetError('artifact_refused', `No ${secret}.`))).toEqual(told('No <secret:TOKEN>.'))
  expect(await refused(new Error(`No ${secret}.`))).toEqual(told(expect.stringMatching(/.+No <secret:TOKEN>\.$/)))
})

test('SE5 what is taken in goes through the redactor: messages, logs and the names of artifacts', async () => {
  const bench = heard()
  bench.inUse.use([{ key: 'TOKEN', value: secret }])
  bench.hears({ ...artifact, path: secret })
  bench.hears({ type: 'log', text: `${secret}, ${secret.slice(0, 5)}` })
  bench.hears({ type: 'result', summary: secret })
  await bench.reports.idle()
  const text = JSON.stringify([bench.entries, bench.out.filter(([what]) => what !== 'log')])
  expect(text).toContain('<secret:TOKEN>')
  expect(text).not.toContain(secret)
  // What was held back comes at the end.
  expect(bench.out.flatMap(([what, written]) => (what === 'log' ? [written] : [])).join('')).toBe(
    `<secret:TOKEN>, ${secret.slice(0, 5)}`,
  )
})

test('RU5 an artifact that is found when its attempt is over is recorded under it; of a run that is gone it is not', async () => {
  const bench = heard()
  bench.hears(artifact)
  bench.set('a', { status: 'enqueued' })
  bench.lease('a')
  await bench.reports.idle()
  expect(said(bench.entries)).toMatchObject([{ attempt: 1, worker: 'w1', events: [{ state: 'artifact' }] }])
  const gone = heard()
  gone.hears(artifact)
  gone.state.runs.delete('r')
  await gone.reports.idle()
  expect(gone.entries).toEqual([])
})

test('AR5 the end of an attempt that wrote nothing is taken at once, and its slot is free', () => {
  const bench = heard({ scorer: { kind: 'exit_code' } })
  const entries = bench.hears({ type: 'result', exit_code: 0 })
  expect(entries).toMatchObject([{ set: { status: 'completed' } }])
  expect(receiptIn(entries[0]).artifacts).toEqual([])
  expect(bench.core.presence.size).toBe(0)
  expect(bench.out).toEqual([['settle', 'w1']])
  expect(bench.reports.late).toBe(0)
})

test.each<[string, Record<string, unknown> & { type: 'result' | 'failed' | 'stopped' }, object, string[]]>([
  ['a result', { type: 'result' }, { result: 'partial' }, ['artifact', 'completed']],
  ['a failure', { type: 'failed', reason: 'It broke.', failure_kind: 'task' }, { failure_kind: 'task' }, ['artifact', 'failed']],
  ['a host that gave up', { type: 'stopped' }, { failure_kind: 'transport', evidence: says }, ['artifact', 'failed']],
])('AR5 %s has the log of its attempt with it', async (_, message, receipt, states) => {
  const bench = heard()
  bench.hears({ type: 'log', text: 'one' })
  bench.hears(message)
  await bench.reports.idle()
  expect(kinds(bench.entries)).toEqual(states)
  expect(bench.entries[0]?.receipt).toMatchObject({ ...receipt, artifacts: [log] })
  expect(bench.entries[0]?.effects).toBe(undefined)
  // Nothing was held back of it, so nothing more is written.
  expect(bench.out).toEqual([
    ['log', 'one'],
    ['settle', 'w1'],
  ])
})

test('LE8 an attempt that its host could not run is given back without a receipt, behind the log that it has', async () => {
  const bench = heard()
  const [entry] = heard().hears({ type: 'stopped', released: 'no room' })
  expect(entry).toMatchObject({ set: { status: 'enqueued', released: true }, receipt: undefined, effects: undefined })
  bench.set('a', { crashes: 2 })
  bench.hears({ type: 'log', text: 'one' })
  bench.hears({ type: 'stopped', released: 'no room' })
  await bench.reports.idle()
  expect(said(bench.entries)).toMatchObject([
    { attempt: 1, worker: 'w1', events: [{ state: 'artifact', ...log }] },
    {
      attempt: 1,
      set: { status: 'enqueued', crashes: 0 },
      events: [{ state: 'interrupted', signal: 'no room' }, { state: 'queued' }],
    },
  ])
})

test('RE7 a host that stopped the work though nobody asked is a failure of the way to it, and is tried again', () => {
  const [entry] = heard().hears({ type: 'stopped' })
  expect(entry).toMatchObject({
    ...{ set: { status: 'backoff' }, effects: undefined, events: [{ state: 'failed', recoverable: true }] },
    receipt: { failure_kind: 'transport' },
  })
  expect(receiptIn(entry).artifacts).toEqual([])
  expect(heard(untried).hears({ type: 'stopped' })[0]).toMatchObject({ set: { status: 'failed' } })
})

test('EV5 the end of an attempt that was revoked changes nothing and is late; its log is still recorded', async () => {
  const late = async (message: { type: 'result' | 'stopped' }, logs: boolean) => {
    const bench = heard()
    if (logs) bench.hears({ type: 'log', text: 'one' })
    bench.hears(message)
    bench.set('a', { status: 'cancelled' })
    await bench.reports.idle()
    const revoked = heard()
    revoked.set('a', { status: 'cancelled' })
    revoked.hears(message)
    expect(revoked.entries).toEqual([])
    expect(revoked.core.presence.size).toBe(0)
    return [
      bench.reports.late,
      revoked.reports.late,
      logs ? said(bench.entries).map(({ attempt, events }) => [attempt, events]) : [],
    ]
  }
  const recorded = [[1, [{ state: 'artifact', ...log }]]]
  expect(await late({ type: 'result' }, true)).toEqual([1, 1, recorded])
  expect(await late({ type: 'stopped' }, true)).toEqual([0, 0, recorded])
  expect(await late({ type: 'result' }, false)).toEqual([0, 1, []])
})

test('AR5 ST5 a log that the disk does not keep is missing, and the end of its attempt says so, behind what it said itself', async () => {
  const end = async (
    message: Record<string, unknown> & { type: 'result' | 'failed' | 'stopped' },
    error: unknown = new Error('full'),
  ) => {
    const bench = heard()
    bench.collector.finish = () => Promise.reject(error as Error)
    bench.hears({ type: 'log', text: 'one' })
    bench.hears(message)
    await bench.reports.idle()
    expect(bench.entries[0]?.receipt?.artifacts ?? []).toEqual([])
    const event = bench.entries[0]?.events?.[0] as { summary?: string; reason?: string; signal?: string }
    return event.summary ?? event.reason ?? event.signal
  }
  expect(await end({ type: 'result' })).toMatch(/^.+ full$/)
  expect(await end({ type: 'result' })).not.toContain('Error')
  expect(await end({ type: 'result', summary: 'Done.' })).toMatch(/^Done\.\n.+ full$/)
  expect(await end({ type: 'result' }, 'no room')).toMatch(/^.+ no room$/)
  expect(await end({ type: 'failed', reason: 'It broke.', failure_kind: 'task' })).toMatch(/^It broke\.\n.+ full$/)
  expect(await end({ type: 'stopped', released: 'no host' })).toMatch(/^no host\n.+ full$/)
  // What was not released is not released by it.
  expect(await end({ type: 'stopped' })).not.toContain('full')
})

test('BU3 usage of an attempt that is over counts for a worker that had the task, for no attempt that is to come, and for nobody else', () => {
  const counted = (attempt: number, worker: string, had = 'w1') => {
    const bench = heard()
    bench.decide(function* () {
      const events = [{ state: 'running' }] as const
      yield { on: 'r', kind: 'task.reported', task: 'a', attempt: 1, worker: had, workerSeq: 1, events }
    })
    bench.core.presence.end('r', 'a', 1)
    bench.hears({ ...usage, attempt }, workerOf(worker, bench.out))
    expect(bench.out).toEqual([['stop', worker, { ...at, attempt }, 'lease_lost']])
    expect(bench.reports.late).toBe(1)
    return said(bench.entries)
  }
  const spend = (attempt: number) => [{ kind: 'task.reported', task: 'a', attempt, set: { inputTokens: 5, outputTokens: 0 } }]
  expect(counted(1, 'w1')).toEqual(spend(1))
  expect(counted(0, 'w1')).toEqual(spend(0))
  expect(counted(2, 'w1')).toEqual([])
  expect(counted(1, 'w2')).toEqual([])
  expect(counted(1, 'w2', 'w2')).toEqual(spend(1))
  const none = heard()
  none.hears({ ...usage, task_id: 'unknown' })
  expect(none.entries).toEqual([])
})

test('BU3 CO9 usage that comes when its run has left memory is added to it all the same, where it can be read', async () => {
  const bench = heard()
  bench.decide(function* () {
    const events = [{ state: 'running' }] as const
    yield { on: 'r', kind: 'task.reported', task: 'a', attempt: 1, worker: 'w1', workerSeq: 1, events }
  })
  bench.core.presence.end('r', 'a', 1)
  bench.state.runs.delete('r')
  bench.hears(usage)
  await bench.clock.settle()
  expect(bench.entries).toEqual([])
  bench.away.set('r', bench.run)
  bench.hears(usage)
  await bench.clock.settle()
  expect(bench.entries).toMatchObject([{ task: 'a', set: { inputTokens: 5 } }])
  // Other words of it are not.
  bench.state.runs.delete('r')
  bench.hears(progress())
  await bench.clock.settle()
  expect(bench.entries).toHaveLength(1)
})
