import { expect, test } from 'vitest'
import type { AlertOutbox } from '../../../src/engine/alert-outbox.ts'
import type { AttemptWatch } from '../../../src/engine/attempt-watch.ts'
import type { Core } from '../../../src/engine/core.ts'
import { createEffects } from '../../../src/engine/effects.ts'
import type { Effects } from '../../../src/engine/effects.ts'
import type { EffectKind, Entry } from '../../../src/engine/entry.ts'
import type { AttemptPresence } from '../../../src/engine/presence.ts'
import type { RunHeader } from '../../../src/engine/run-header.ts'
import type { RunState } from '../../../src/engine/state.ts'
import type { Workers } from '../../../src/engine/workers.ts'
import type { Verdict } from '../../../src/ports/scorer.ts'
import type { WorkspaceOutcome } from '../../../src/ports/workspaces.ts'
import type { LeaseTerms } from '../../../src/security/trust.ts'
import { usualTerms } from '../../../src/security/trust.ts'
import { createSecretsInUse } from '../../../src/security/secrets-in-use.ts'
import { watchedRun } from '../../support/watched-run.ts'
import type { WatchedRun } from '../../support/watched-run.ts'

const key = { run_id: 'r', task_id: 'a', attempt: 1 }
const pass: Verdict = { result: 'pass', score: { value: 1, max: 1 }, evidence: 'It is good.' }
const secret = 'correct-horse-battery'
const ready: WorkspaceOutcome = { root: '/root', environment: { A: '1' } }

interface Performed extends WatchedRun {
  readonly core: Core
  readonly effects: Effects
  /** What was sent to workers, watched, alerted of, scored and asked of turns, in order. */
  readonly out: unknown[][]
  /** What the test makes of what is asked for. */
  prepare: () => WorkspaceOutcome | Promise<WorkspaceOutcome>
  alert: () => Promise<void> | void
  score: (signal: AbortSignal) => Promise<Verdict>
  terms: LeaseTerms
  hasChannel: boolean
  /** An entry of the task `a` with effects, of its first attempt unless it says otherwise. */
  perform(effects: readonly EffectKind[] | undefined, more?: Partial<Entry>): void
}

/** A leased task whose effects the test sees. */
function performed(spec: Record<string, unknown> = {}, header: Partial<RunHeader> = {}): Performed {
  const bench = watchedRun({ before: {}, a: spec, other: {} }, { header })
  bench.set('a', { status: 'enqueued' })
  bench.lease('a', { awaits: true })
  const out: unknown[][] = []
  const inUse = createSecretsInUse()
  const core = {
    ...bench.core,
    inUse,
    turns: { ...bench.core.turns, nudge: () => void out.push(['nudge']) },
    folderOf: (...of: unknown[]) => `/folders/${of.join('/')}`,
    workspaces: { prepare: () => made.prepare() },
    secrets: { resolve: async () => ({ values: { TOKEN: secret } }) },
    store: { read: async () => [], blobs: {} },
    scorers: {
      file_exists: {
        effect: true,
        score(_: unknown, { signal }: { signal: AbortSignal }) {
          out.push(['score'])
          return made.score(signal)
        },
      },
    },
  } as unknown as Core
  const workers = {
    get: (id: string) => ({
      facts: { id },
      transport: { heartbeats: 'fleet' },
      ...(made.hasChannel && { channel: { send: (message: object) => out.push(['send', id, message]) } }),
    }),
    termsOf: () => made.terms,
  } as unknown as Workers
  const watch = { watch: (attempt: AttemptPresence) => void out.push(['watch', attempt]) } as unknown as AttemptWatch
  const alerts = {
    perform(run: RunState, entry: Entry) {
      out.push(['alert', run.header.id, entry.task])
      return made.alert()
    },
  } as unknown as AlertOutbox
  const effects = createEffects(core, workers, watch, alerts)
  const made: Performed = {
    ...{ ...bench, core, effects, out, prepare: () => ready, alert: () => undefined, score: async () => pass },
    ...{ terms: usualTerms, hasChannel: true },
    perform: (kinds, more) =>
      effects.perform(bench.run, { seq: 9, at: 0, kind: 'task.stepped', task: 'a', attempt: 1, effects: kinds, ...more }),
  }
  return made
}
const start = ['worker.start'] as const
const stop = ['worker.stop'] as const
const sent = ({ out }: Performed) => out.flatMap(([what, , message]) => (what === 'send' ? [message as { type: string }] : []))
const types = (bench: Performed) => sent(bench).map(({ type }) => type)
/** Something that the test ends when it likes. */
function later<Value>() {
  let end: (value: Value) => void = () => undefined
  let fail: (error: Error) => void = () => undefined
  const promise = new Promise<Value>((resolve, reject) => ([end, fail] = [resolve, reject]))
  return { promise, end: (value: Value) => end(value), fail: (error: Error) => fail(error) }
}

test('CO5 LE3 a start is handed over at once where there is nothing to wait for: all that the worker must know, watched from now', () => {
  const bench = performed()
  bench.perform(start)
  const place = { ...key, folder: '/folders/r/a/1', root: '/root' }
  const presence = bench.core.presence.get('r', 'a', 1)
  const now = bench.core.deadlines.leaseNow()
  expect(presence).toMatchObject({
    worker: 'w1',
    deadline: now + 60_000,
    lastProgress: now,
    lastHeardAt: bench.clock.now(),
    place,
  })
  expect(bench.out).toStrictEqual([
    ['watch', presence],
    [
      'send',
      'w1',
      {
        ...{ type: 'assign', ...place, task: bench.task('a').spec, previous: [], dependencies: [], environment: { A: '1' } },
        ...{ allow_parallel_reads: false, trust_level: 'local' },
      },
    ],
  ])
  expect(presence?.forgetSecrets).toBe(undefined)
})

test('SE1 SE5 BU2 what an attempt may have and must keep to goes with it: secrets, which are in use from then on, budget, and limits', async () => {
  const policy = { allowed_secrets: [{ key: 'TOKEN' }], allow_parallel_reads: true }
  const bench = performed({ budget: { max_tokens: 9 } }, { security_policy: policy as never })
  const confined = { network: false, writable_paths: ['x'] }
  bench.terms = { level: 'remote_verified', confined, permissions: usualTerms.permissions }
  bench.set('a', { inputTokens: 4 })
  await bench.clock.advance('3s')
  bench.perform(start)
  await bench.effects.idle()
  expect(sent(bench)).toMatchObject([
    {
      ...{ budget_left: { max_tokens: 5 }, secrets: { TOKEN: secret }, confined },
      ...{ allow_parallel_reads: true, trust_level: 'remote_verified' },
    },
  ])
  expect(bench.core.inUse.redactor?.text(secret)).toBe('<secret:TOKEN>')
  // They are given up with the attempt.
  expect(bench.core.presence.get('r', 'a', 1)?.forgetSecrets).toEqual(expect.any(Function))
})

test('BU1 what is left of the seconds is counted from the beginning of the lease, however long its preparation took', async () => {
  const bench = performed({ budget: { max_seconds: 60 } })
  await bench.clock.advance('9s')
  bench.perform(start)
  expect(sent(bench)).toMatchObject([{ budget_left: { max_seconds: 60 } }])
})

test('WO3 a worker whose channel has gone is not told: its loss settles what it had', () => {
  const bench = performed()
  bench.hasChannel = false
  bench.perform(start)
  expect([sent(bench), bench.entries, bench.core.presence.size]).toEqual([[], [], 1])
})

test('BU3 an attempt for which nothing is left to spend is not begun, and fails for good', () => {
  const bench = performed({ budget: { max_tokens: 5 } })
  bench.set('a', { inputTokens: 6 })
  bench.perform(start)
  expect([types(bench), bench.core.presence.size]).toEqual([[], 0])
  expect(bench.entries[0]).toMatchObject({
    ...{ set: { status: 'failed' }, effects: undefined, events: [{ recoverable: false }] },
    receipt: { failure_kind: 'task', evidence: expect.stringMatching(/^The budget .+\. .+/) as string },
  })
})

test('WS2 SC4 what is missing fails the attempt for good, and says all of it; what cannot be read fails it for now', async () => {
  const bench = performed()
  bench.prepare = () => ({ problems: ['No file.', 'No name.'] })
  bench.perform(start)
  expect([types(bench), bench.core.presence.size]).toEqual([[], 0])
  expect(bench.entries[0]).toMatchObject({
    ...{ set: { status: 'failed' }, effects: undefined, events: [{ reason: 'No file.\nNo name.', recoverable: false }] },
    receipt: { failure_kind: 'task' },
  })
  const unread = performed()
  unread.core.inUse.use([{ key: 'TOKEN', value: secret }])
  unread.prepare = () => Promise.reject(new Error(`No ${secret}.`))
  unread.perform(start)
  await unread.effects.idle()
  expect([types(unread), unread.core.presence.size]).toEqual([[], 0])
  expect(unread.entries[0]).toMatchObject({
    ...{ set: { status: 'backoff' }, effects: undefined, events: [{ recoverable: true }] },
    receipt: { failure_kind: 'transport', evidence: expect.stringMatching(/^.+No <secret:TOKEN>\.$/) as string },
  })
})

test('CO1 what cannot be started fails the attempt that it was for, and no other', async () => {
  const bench = performed()
  const preparing = later<WorkspaceOutcome>()
  bench.prepare = () => preparing.promise
  bench.perform(start)
  bench.set('a', { status: 'enqueued' })
  bench.lease('a')
  preparing.fail(new Error('gone'))
  await bench.effects.idle()
  expect([bench.entries, bench.core.presence.size]).toEqual([[], 0])
})

test('CO6 a start is performed only while its lease is live', () => {
  for (const end of [{ status: 'cancelled' }, { status: 'verifying' }, { attempt: 2 }, { worker: null }] as const) {
    const bench = performed()
    bench.set('a', end)
    bench.perform(start)
    expect([bench.out, bench.core.presence.size]).toEqual([[], 0])
  }
})

test('CO1 a start that was passed over is performed once what revoked its lease was discarded, and once only', () => {
  const bench = performed()
  bench.set('a', { status: 'enqueued' })
  bench.perform(start)
  bench.effects.again()
  expect(types(bench)).toEqual([])
  // Asked for once, it is passed over for good.
  bench.set('a', { status: 'starting' })
  bench.effects.again()
  expect(types(bench)).toEqual([])
  const restored = performed()
  restored.set('a', { status: 'enqueued' })
  restored.perform(start)
  restored.set('a', { status: 'starting' })
  restored.effects.again()
  restored.effects.again()
  expect(types(restored)).toEqual(['assign'])
})

test.each<[string, (bench: Performed) => void]>([
  ['revoked', (bench) => bench.perform(undefined, { set: { status: 'cancelled' } })],
  ['stopped', (bench) => bench.perform(stop)],
])('CO1 a start that was passed over is forgotten once it is durable that its lease was %s', (_, end) => {
  const bench = performed()
  bench.set('a', { status: 'enqueued' })
  bench.perform(start)
  end(bench)
  bench.set('a', { status: 'starting' })
  bench.effects.again()
  expect(types(bench)).toEqual([])
})

test('CO1 the end of another attempt, or an entry that ends none, lets a start that was passed over stand', () => {
  const bench = performed()
  bench.set('a', { status: 'enqueued' })
  bench.perform(start)
  for (const task of ['other', undefined]) bench.perform(undefined, { task, set: { status: 'cancelled' } })
  bench.perform(undefined, { attempt: 2, set: { status: 'cancelled' } })
  bench.perform(undefined, { attempt: undefined, set: { status: 'cancelled' } })
  bench.perform(undefined, { set: {} })
  bench.perform(['alert.send'])
  bench.perform(undefined)
  bench.set('a', { status: 'starting' })
  bench.effects.again()
  expect(types(bench)).toEqual(['assign'])
})

test('CO6 a lease that goes while its start is prepared is not handed over; its slot is free, and it may come back', async () => {
  const bench = performed()
  const preparing = later<WorkspaceOutcome>()
  bench.prepare = () => preparing.promise
  bench.perform(start)
  expect(bench.core.presence.size).toBe(1)
  bench.set('a', { status: 'enqueued' })
  preparing.end(ready)
  await bench.effects.idle()
  expect([types(bench), bench.core.presence.size, bench.out.at(-1)]).toEqual([[], 0, ['nudge']])
  bench.prepare = () => ready
  bench.set('a', { status: 'starting' })
  bench.effects.again()
  expect(types(bench)).toEqual(['assign'])
  // Nor one that ended here while it was prepared.
  const ended = performed()
  ended.prepare = () => preparing.promise
  ended.perform(start)
  ended.core.presence.end('r', 'a', 1)
  await ended.effects.idle()
  expect([types(ended), ended.entries]).toEqual([[], []])
})

test('CO6 effects of one attempt are performed in order, one at a time; those of another do not wait for them', async () => {
  const bench = performed()
  const preparing = later<WorkspaceOutcome>()
  bench.prepare = () => preparing.promise
  bench.perform(start)
  bench.perform(['worker.hand_back'], { set: { overBudget: { limit: 'max_tokens', reason: 'It is spent.' } } })
  bench.perform(stop, { set: { status: 'cancelled' } })
  expect(types(bench)).toEqual([])
  bench.lease('other')
  bench.prepare = () => ready
  bench.perform(start, { task: 'other' })
  expect(types(bench)).toEqual(['assign'])
  let isIdle = false
  void bench.effects.idle().then(() => (isIdle = true))
  await bench.clock.settle()
  expect(isIdle).toBe(false)
  preparing.end(ready)
  await bench.clock.settle()
  expect(isIdle).toBe(true)
  expect(types(bench)).toEqual(['assign', 'assign', 'hand_back', 'stop'])
})

test('CO6 several effects of one entry are performed in its order, and what came to its end holds up nothing', async () => {
  const bench = performed()
  bench.perform([...start, 'worker.hand_back'], { set: { overBudget: { limit: 'max_tokens', reason: 'It is spent.' } } })
  expect(types(bench)).toEqual(['assign', 'hand_back'])
  const slow = performed()
  slow.prepare = async () => ready
  slow.perform(start)
  await slow.effects.idle()
  slow.perform(stop)
  expect(types(slow)).toEqual(['assign', 'stop'])
})

test('CO8 whoever waits for the effects waits for those that begin meanwhile, too', async () => {
  const bench = performed()
  const [first, second] = [later<WorkspaceOutcome>(), later<WorkspaceOutcome>()]
  bench.prepare = () => first.promise
  bench.perform(start)
  let isIdle = false
  void bench.effects.idle().then(() => (isIdle = true))
  bench.lease('other')
  bench.prepare = () => second.promise
  bench.perform(start, { task: 'other' })
  first.end(ready)
  await bench.clock.settle()
  expect([isIdle, types(bench)]).toEqual([false, ['assign']])
  second.end(ready)
  await bench.clock.settle()
  expect([isIdle, types(bench)]).toEqual([true, ['assign', 'assign']])
})

test('AL2 an alert does not wait for what else is done for its attempt, nor the other way round', async () => {
  const bench = performed()
  const alerting = later<void>()
  const preparing = later<WorkspaceOutcome>()
  bench.alert = () => alerting.promise
  bench.prepare = () => preparing.promise
  bench.perform([...start, 'alert.send'])
  expect(bench.out.at(-1)).toEqual(['alert', 'r', 'a'])
  preparing.end(ready)
  await bench.effects.idle()
  expect(types(bench)).toEqual(['assign'])
})

const scored = { scorer: { kind: 'file_exists', path: 'x' } }
function verifying(): Performed {
  const bench = performed(scored)
  bench.set('a', { status: 'verifying', pending: { output: null, exitCode: null } })
  return bench
}
const scorings = ({ out }: Performed) => out.filter(([what]) => what === 'score').length

test('CO5 a scorer is asked for what waits in verifying, by its entry or again after a crash, one at a time', async () => {
  for (const ask of [
    (bench: Performed) => bench.perform(['scorer.run']),
    (bench: Performed) => bench.effects.score(bench.run, bench.task('a')),
  ]) {
    const bench = verifying()
    ask(bench)
    ask(bench)
    await bench.effects.idle()
    expect(bench.entries).toMatchObject([{ task: 'a', receipt: { result: 'pass' } }])
    expect(scorings(bench)).toBe(1)
  }
})

test('CO6 what comes when the first of several effects has ended waits for those that are left', async () => {
  const bench = verifying()
  // No verdict is decided, so the task is there to be scored each time.
  bench.hold()
  const first = later<Verdict>()
  const second = later<Verdict>()
  const verdicts = [first, second]
  bench.score = () => verdicts.shift()?.promise ?? Promise.resolve(pass)
  const scoredAfter = async (act: () => void) => {
    act()
    await bench.clock.settle()
    return scorings(bench)
  }
  const ask = () => bench.perform(['scorer.run'])
  expect(await scoredAfter(() => (ask(), ask()))).toBe(1)
  expect(await scoredAfter(() => first.end(pass))).toBe(2)
  expect(await scoredAfter(ask)).toBe(2)
  expect(await scoredAfter(() => second.end(pass))).toBe(3)
})

test('CO1 a scorer that was passed over is asked once what ended its attempt was discarded, and it waits for a verdict again', async () => {
  const ended = { status: 'enqueued' } as const
  for (const end of [ended, { attempt: 2 }]) {
    const bench = verifying()
    bench.set('a', end)
    bench.perform(['scorer.run'])
    bench.effects.again()
    await bench.effects.idle()
    expect(scorings(bench)).toBe(0)
  }
  const restored = verifying()
  restored.set('a', ended)
  restored.perform(['scorer.run'])
  restored.set('a', { status: 'verifying', attempt: 1 })
  restored.effects.again()
  await restored.effects.idle()
  expect(restored.entries).toMatchObject([{ receipt: { result: 'pass' } }])
  const gone = verifying()
  gone.state.runs.delete('r')
  gone.perform(['scorer.run'])
  gone.effects.again()
  await gone.effects.idle()
  expect(scorings(gone)).toBe(0)
})

/** A scorer that goes on until its signal aborts, and the signal. */
function scoring(): { readonly bench: Performed; readonly signals: AbortSignal[] } {
  const bench = verifying()
  const signals: AbortSignal[] = []
  bench.score = (signal) => {
    signals.push(signal)
    return new Promise((resolve) => signal.addEventListener('abort', () => resolve(pass)))
  }
  bench.perform(['scorer.run'])
  return { bench, signals }
}

test('RU5 whatever ends an attempt otherwise stops its scorer, and what it says then counts for nothing', async () => {
  const { bench, signals } = scoring()
  await bench.clock.settle()
  bench.perform(undefined, { task: 'other', set: { status: 'cancelled' } })
  bench.perform(undefined, { set: { toolCalls: 1 } })
  expect(signals.map(({ aborted }) => aborted)).toEqual([false])
  bench.perform(undefined, { set: { status: 'cancelled' } })
  expect(signals.map(({ aborted }) => aborted)).toEqual([true])
  await bench.effects.idle()
  expect(bench.entries).toEqual([])
})

test('CO5 CO8 closing stops scorers, and leaves their tasks in verifying for the next owner', async () => {
  const { bench, signals } = scoring()
  await bench.clock.settle()
  bench.effects.close()
  await bench.effects.idle()
  expect(signals.map(({ aborted }) => aborted)).toEqual([true])
  expect([bench.entries, bench.task('a').status]).toEqual([[], 'verifying'])
})

test('CO5 a verdict that was reached leaves no scorer behind that a later entry could stop', async () => {
  const bench = verifying()
  const signals: AbortSignal[] = []
  bench.score = async (signal) => {
    signals.push(signal)
    return pass
  }
  bench.perform(['scorer.run'])
  await bench.effects.idle()
  bench.perform(undefined, { set: { status: 'completed' } })
  bench.effects.close()
  expect(signals.map(({ aborted }) => aborted)).toEqual([false])
})

test('LE2 a worker is told to stop what the fleet knows nothing of, without an entry', () => {
  const bench = performed()
  bench.effects.stop('w9', key, 'lease_lost', 'It is gone.')
  expect(bench.out).toMatchObject([['send', 'w9', { type: 'stop', ...key, code: 'lease_lost', reason: 'It is gone.' }]])
})
