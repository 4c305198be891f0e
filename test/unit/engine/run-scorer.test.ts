import { expect, test } from 'vitest'
import type { Core } from '../../../src/engine/core.ts'
import type { Changes, Entry } from '../../../src/engine/entry.ts'
import { runScorer } from '../../../src/engine/run-scorer.ts'
import type { EffectInput, Verdict } from '../../../src/ports/scorer.ts'
import type { WorkspaceOutcome } from '../../../src/ports/workspaces.ts'
import type { FleetTaskSpec } from '../../../src/protocol/task.ts'
import { createSecretsInUse } from '../../../src/security/secrets-in-use.ts'
import { watchedRun } from '../../support/watched-run.ts'
import type { WatchedRun } from '../../support/watched-run.ts'

const pass: Verdict = { result: 'pass', score: { value: 0.9, max: 1 }, evidence: 'It is good.' }
const fileExists = { kind: 'file_exists', path: 'x' }
type Score = (input: EffectInput, options: { signal: AbortSignal }) => Promise<Verdict>

interface Scored extends WatchedRun {
  readonly core: Core
  /** What the scorer was asked, and the signal that it got. */
  readonly asked: { input: EffectInput; signal: AbortSignal }[]
  /** What was prepared, with which base. */
  readonly prepared: [FleetTaskSpec, string][]
  readonly gone: AbortController
  readonly kept: string[]
  prepare: () => WorkspaceOutcome | Promise<WorkspaceOutcome>
  /** Runs the scorer of `a` until nothing moves any more. */
  score(): Promise<readonly Entry[]>
}

/** A task that waits in `verifying` for a scorer that the test plays. */
function verifying(
  score: Score | Verdict = pass,
  { spec = {}, more = {}, ...scorer }: { spec?: object; more?: Changes; effect?: boolean; endsByItself?: boolean } = {},
): Scored {
  const bench = watchedRun({ a: { scorer: fileExists, ...spec }, other: {} })
  bench.lease('a')
  bench.set('a', { status: 'verifying', pending: { output: null, exitCode: null }, ...more })
  const made = typeof score === 'function' ? score : async () => score
  const asked: Scored['asked'] = []
  const prepared: Scored['prepared'] = []
  const kept: string[] = []
  const gone = new AbortController()
  const inUse = createSecretsInUse()
  const played = {
    effect: true,
    score(input: EffectInput, options: { signal: AbortSignal } | undefined) {
      asked.push({ input, signal: options?.signal ?? AbortSignal.abort() })
      return made(input, { signal: options?.signal ?? AbortSignal.abort() })
    },
    ...scorer,
  }
  const entries: Entry[] = []
  const core = {
    ...bench.core,
    ...{ inUse, folderOf: (...key: unknown[]) => `/folders/${key.join('/')}` },
    scorers: { file_exists: played, command: played, code_whale_verifier_prompt: played },
    workspaces: {
      async prepare(task: FleetTaskSpec, base: string) {
        prepared.push([task, base])
        return scored.prepare()
      },
    },
    store: {
      read: async (_: string, { from }: { from: number }) => entries.filter(({ seq }) => seq === from),
      blobs: {
        async put(run: string, bytes: Uint8Array) {
          kept.push(`${run}: ${new TextDecoder().decode(bytes)}`)
          return { sha256: 'f'.repeat(64), size: bytes.length }
        },
      },
    },
  } as unknown as Core
  const scored: Scored = {
    ...{ ...bench, core, asked, prepared, gone, kept },
    prepare: () => ({ root: '/root', environment: { A: '1' } }),
    decide(by) {
      const decided = bench.decide(by)
      entries.push(...decided)
      return decided
    },
    async score() {
      void runScorer(core, bench.run, bench.task('a'), gone.signal)
      await bench.clock.settle()
      return bench.entries
    },
  }
  return scored
}
/** The evidence of a check that could not be made. */
const broken = ([entry, ...more]: readonly Entry[]) => {
  expect(more).toEqual([])
  expect(entry?.receipt).toMatchObject({ result: 'fail', failure_kind: 'verifier', score: { value: 0, max: 1 } })
  return entry?.receipt?.evidence
}
const untried = { spec: { retry_policy: { max_attempts: 5, initial_backoff_seconds: 0 } } }
const never = (): Promise<Verdict> => new Promise(() => undefined)

test('VE1 VE2 the scorer is told of the attempt, of what it returned, and where to look; its verdict ends the attempt', async () => {
  const bench = verifying()
  expect(await bench.score()).toMatchObject([
    {
      task: 'a',
      attempt: 1,
      set: { status: 'completed' },
      receipt: { result: 'pass', score: pass.score, evidence: pass.evidence },
    },
  ])
  const { spec } = { spec: bench.asked[0]?.input.attempt.task }
  expect(bench.prepared).toEqual([[spec, '/w']])
  expect(spec).toMatchObject({ id: 'a', scorer: fileExists })
  expect(bench.asked.map(({ input }) => input)).toStrictEqual([
    {
      ...{ scorer: spec?.scorer, root: '/root', exitCode: undefined },
      attempt: {
        ...{ key: { run_id: 'r', task_id: 'a', attempt: 1 }, worker: 'w1', task: spec, folder: '/folders/r/a/1' },
        ...{ environment: { A: '1' }, confined: undefined, output: undefined, artifacts: [], previous: [] },
      },
    },
  ])
})

test('VE2 VE3 what the work left is where the worker says, with its code, its output, its artifacts, and what it was held to', async () => {
  const confined = { network: false, writable_paths: ['x'] }
  const bench = verifying(pass, { more: { pending: { output: [7], exitCode: 0, confined, evidenceRoot: '/elsewhere' } } })
  bench.decide(function* () {
    const events = [{ state: 'artifact', kind: 'log', path: 'log.txt' }] as const
    yield { on: 'r', kind: 'task.reported', task: 'a', attempt: 1, worker: 'w1', workerSeq: 1, events }
  })
  await bench.score()
  expect(bench.asked[0]?.input).toMatchObject({
    ...{ root: '/elsewhere', exitCode: 0 },
    attempt: { confined, output: [7], artifacts: [{ kind: 'log', path: 'log.txt' }] },
  })
})

test('VE4 RE5 the scorer sees the receipts of the attempts before, oldest first', async () => {
  const bench = verifying()
  for (const evidence of ['first', 'second'])
    bench.decide(function* () {
      const receipt = { run_id: 'r', task_id: 'a', worker_id: 'w1', completed_at: '2020-01-01T00:00:00.000Z', evidence } as const
      yield { on: 'r', kind: 'task.stepped', task: 'a', set: {}, receipt: { ...receipt, result: 'fail', artifacts: [] } }
    })
  await bench.score()
  expect(bench.asked[0]?.input.attempt.previous.map(({ evidence }) => evidence)).toEqual(['first', 'second'])
})

test('WS2 what the work needed to begin is not asked for again: it may have used it up; all else is', async () => {
  const workspace = { root: 'sub', required_files: ['in.txt'], writable_paths: ['out'] }
  const prepared = async (spec: object) => {
    const bench = verifying(pass, { spec })
    await bench.score()
    // It is told of the task as it is.
    expect(bench.asked[0]?.input.attempt.task).toMatchObject(spec)
    return bench.prepared[0]?.[0]
  }
  const both = await prepared({ input_files: ['b.txt'], workspace, tags: ['x'] })
  expect(both).toMatchObject({ input_files: [], workspace: { ...workspace, required_files: [] }, tags: ['x'] })
  expect(await prepared({ workspace })).toMatchObject({ workspace: { ...workspace, required_files: [] } })
  const inputs = await prepared({ input_files: ['b.txt'] })
  expect(inputs?.input_files).toEqual([])
  expect(inputs).not.toHaveProperty('workspace.required_files')
})

test('RE7 what cannot be prepared is a check that could not be made, and says everything that is wrong', async () => {
  const bench = verifying(pass, untried)
  bench.prepare = () => ({ problems: ['No root.', 'No name.'] })
  expect(broken(await bench.score())).toBe('No root.\nNo name.')
  const failing = verifying(pass, untried)
  failing.prepare = () => Promise.reject(new Error('The disk is gone.'))
  expect(broken(await failing.score())).toMatch(/^.+The disk is gone\.$/)
  expect([bench.asked, failing.asked]).toEqual([[], []])
})

test.each([
  ['file_exists', fileExists, 60],
  ['command', { kind: 'command', command: 'true' }, 600],
  ['code_whale_verifier_prompt', { kind: 'code_whale_verifier_prompt', prompt: 'Is it good?' }, 60],
])(
  'VE1 VE3 a %s scorer has its own time; when it is up it hears of it, and the check could not be made',
  async (_, scorer, seconds) => {
    const bench = verifying(never, { spec: { ...untried.spec, scorer } })
    await bench.score()
    await bench.clock.advance(seconds * 1000 - 1)
    expect([bench.entries, bench.asked[0]?.signal.aborted]).toEqual([[], false])
    await bench.clock.advance(1)
    expect(broken(bench.entries)).toContain(`${seconds} s`)
    expect(bench.asked[0]?.signal.aborted).toBe(true)
  },
)

test('VE1 the time of a scorer that answered is over: nothing waits for it', async () => {
  const bench = verifying()
  await bench.score()
  await bench.clock.advance('10m')
  expect(bench.asked[0]?.signal.aborted).toBe(false)
})

/** Ends when its signal aborts, as a command that is killed does. */
const untilStopped =
  (ending: () => Verdict): Score =>
  async (_, { signal }) => {
    await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()))
    return ending()
  }

test('VE3 a scorer that ends by itself is waited for, since something of it may run: what it found comes behind that it was late', async () => {
  let open = (): void => undefined
  const slow = new Promise<void>((resolve) => (open = resolve))
  const late: Score = async (_, { signal }) => {
    await untilStopped(() => pass)(_, { signal })
    await slow
    return pass
  }
  const bench = verifying(late, { ...untried, endsByItself: true })
  await bench.score()
  await bench.clock.advance('60s')
  expect(bench.entries).toEqual([])
  open()
  await bench.clock.settle()
  expect(broken(bench.entries)).toMatch(/60 s.*\nIt is good\.$/)
  const failing = verifying(
    untilStopped(() => {
      throw new Error('killed')
    }),
    { ...untried, endsByItself: true },
  )
  await failing.score()
  await failing.clock.advance('60s')
  expect(broken(failing.entries)).toMatch(/^[^\n]*60 s\.$/)
  // Control: in time its word counts.
  expect(await verifying(pass, { endsByItself: true }).score()).toMatchObject([{ receipt: { result: 'pass' } }])
})

test('RE7 a scorer that fails is a check that could not be made', async () => {
  const bench = verifying(() => Promise.reject(new Error('It broke.')), untried)
  expect(broken(await bench.score())).toMatch(/^.+It broke\.$/)
})

test('VE4 a scorer that needs nothing of the outside by now, as where no verifier is registered any more, answers at once', async () => {
  const bench = verifying(pass)
  Object.assign(bench.core.scorers.file_exists, { effect: false, score: () => ({ ...pass, result: 'partial' }) })
  expect(await bench.score()).toMatchObject([{ receipt: { result: 'partial' }, raised: ['needs_human'] }])
})

test('CO5 when the fleet closes, or the attempt ended otherwise, nothing is asked, nothing is said, and the scorer hears of it', async () => {
  const early = verifying()
  early.prepare = async () => {
    early.gone.abort()
    return { root: '/root', environment: {} }
  }
  expect([await early.score(), early.asked]).toEqual([[], []])
  for (const endsByItself of [true, false]) {
    const bench = verifying(
      untilStopped(() => pass),
      { endsByItself },
    )
    await bench.score()
    bench.gone.abort()
    await bench.clock.settle()
    expect([bench.entries, bench.asked[0]?.signal.aborted]).toEqual([[], true])
    expect(bench.task('a').status).toBe('verifying')
  }
})

test('CO8 a scorer that never ends is not waited for when the fleet closes, not even while it is being asked', async () => {
  for (const closes of ['meanwhile', 'later']) {
    const bench = verifying(() => {
      if (closes === 'meanwhile') bench.gone.abort()
      return never()
    })
    let isOver = false
    void runScorer(bench.core, bench.run, bench.task('a'), bench.gone.signal).then(() => (isOver = true))
    await bench.clock.settle()
    bench.gone.abort()
    await bench.clock.settle()
    expect([isOver, bench.entries]).toEqual([true, []])
  }
})

test('VE1 the verdict carries its attempt: one for another, or for what is verified no more, judges nothing', async () => {
  const judged = async (change: (bench: Scored) => void) => {
    const bench = verifying()
    bench.prepare = () => {
      change(bench)
      return { root: '/root', environment: {} }
    }
    return bench.score()
  }
  expect(await judged((bench) => bench.set('a', { attempt: 2 }))).toEqual([])
  expect(await judged((bench) => bench.set('a', { status: 'running' }))).toEqual([])
  expect(await judged((bench) => bench.state.runs.delete('r'))).toEqual([])
  expect(await judged(() => undefined)).toHaveLength(1)
})

test('VE6 SE5 evidence is covered before it is said or kept; what is too long for the receipt is kept whole', async () => {
  const bench = verifying({ ...pass, evidence: `correct-horse-battery ${'x'.repeat(5_000)}` })
  bench.core.inUse.use([{ key: 'TOKEN', value: 'correct-horse-battery' }])
  const [entry] = await bench.score()
  expect(entry?.receipt).toMatchObject({ evidence: expect.stringMatching(/^<secret:TOKEN> x+…$/) as string })
  expect(entry?.receipt?.artifacts).toMatchObject([{ kind: 'evidence', size_bytes: bench.kept[0]!.length - 3 }])
  expect(bench.kept).toEqual([`r: <secret:TOKEN> ${'x'.repeat(5_000)}`])
})
