import { script, worker } from '../../src/testing/index.ts'
import type { Play, Scenario, Stage } from '../../src/testing/index.ts'

type Plays = readonly [Play, ...Play[]]

const plays: Readonly<Record<string, Plays>> = {
  quick: [script().complete()],
  slow: [script().after('20s').tool('make').after('70s').complete({ done: true })],
  flaky: [script().after('3s').fail('flaky'), script().after('3s').fail('flaky again'), script().after('1s').complete()],
  broken: [script().after('1s').usage({ outputTokens: 10 }).fail('broken', { recoverable: false })],
  hopeless: [script().after('2s').fail('hopeless')],
  stuck: [script().after('5s').stall(), script().after('5s').complete()],
  deadly: [script().after('4s').crash(), script().complete()],
  cut: [script().after('2s').disconnect('8s').after('2s').tool('late').complete()],
}

function played(id: string, options: Parameters<typeof worker>[1]): ReturnType<typeof worker> {
  return Object.entries(plays).reduce((all, [name, some]) => all.on(name, ...some), worker(id, options))
}

const policies = [
  undefined,
  { max_attempts: 1 },
  { max_attempts: 4, initial_backoff_seconds: 2, max_backoff_seconds: 30, backoff_multiplier: 3 },
  { max_attempts: 2, initial_backoff_seconds: 0 },
] as const

function tasksOf(stage: Stage, most: number): Parameters<Stage['start']>[0]['tasks'] {
  const kinds = Object.keys(plays) as [string, ...string[]]
  return Array.from({ length: stage.upTo(most) }, (_, index) => {
    const policy = stage.pick(policies)
    return {
      id: `t${index}`,
      name: `t${index}`,
      instructions: 'Play.',
      handler: stage.pick(kinds),
      ...(policy !== undefined && { retry_policy: policy }),
      ...(index > 0 && stage.chance(0.3) && { depends_on: [`t${stage.number(0, index - 1)}`] }),
      ...(stage.chance(0.15) && { timeout_seconds: stage.number(1, 60) }),
    }
  })
}

type Deed = readonly [string, Parameters<Stage['act']>[1]]

/** Some command, to some run or task. */
async function disturb(stage: Stage, runs: number): Promise<void> {
  const id = `run-${stage.number(0, runs - 1)}`
  const task = `t${stage.number(0, 5)}`
  const deeds: readonly [Deed, ...Deed[]] = [
    ['a run was asked to pause', async (fleet) => (await fleet.run(id)).pause()],
    ['a run was asked to go on', async (fleet) => (await fleet.run(id)).resume()],
    ['a task was asked to be cancelled', async (fleet) => (await fleet.run(id)).cancelTask(task)],
    ['a task was asked to be restarted', async (fleet) => (await fleet.run(id)).restart(task)],
    ['the failed were asked to be tried again', async (fleet) => (await fleet.run(id)).retryFailed()],
    ['a run was asked to be cancelled', async (fleet) => (stage.chance(0.3) ? (await fleet.run(id)).cancel() : undefined)],
    ['a run was looked at', async (fleet) => (await fleet.run(id)).summary()],
  ]
  const [what, deed] = stage.pick(deeds)
  await stage.act(what, deed)
}

/** Many runs on few workers, with every command, and a process that ends now and then. */
const busy: Scenario = {
  name: 'busy',
  fleet: {
    workers: [played('near', { slots: 2 }), played('other', {}), played('far', { slots: 2, remote: true })],
    limits: { maxLeases: 4 },
  },
  async play(stage) {
    const runs = stage.upTo(4)
    for (let index = 0; index < runs; index += 1) {
      await stage.start({
        id: `run-${index}`,
        name: `run ${index}`,
        tasks: tasksOf(stage, 6),
        ...(stage.chance(0.3) && { max_workers: 1 }),
      })
      if (stage.chance(0.5)) await stage.wait(stage.number(0, 20_000))
    }
    const deeds = stage.upTo(10)
    for (let index = 0; index < deeds; index += 1) {
      await stage.wait(stage.number(0, 30_000))
      if (stage.chance(0.08)) await stage.crash({ downFor: stage.number(0, 90_000) })
      else if (stage.chance(0.05)) await stage.restart()
      else await disturb(stage, runs)
    }
  },
}

/** Runs that grow while they run, workers that are drained and added, and owners that lose the store while they live. */
const churn: Scenario = {
  name: 'churn',
  fleet: {
    workers: [played('near', { slots: 2 }), played('far', { slots: 2, remote: true }), played('spare', { remote: true })],
    limits: { leaseTtlMs: 20_000, stallAfterMs: 60_000, stopGraceMs: 2_000 },
  },
  async play(stage) {
    await stage.start({ id: 'run-0', name: 'grows', open: true, tasks: tasksOf(stage, 3) })
    const rounds = stage.upTo(12)
    let added = 0
    for (let round = 0; round < rounds; round += 1) {
      await stage.wait(stage.number(0, 25_000))
      if (stage.chance(0.12)) {
        stage.saw('the store was taken over')
        await stage.takeOver()
      } else if (stage.chance(0.05)) {
        await stage.act('a worker was drained', (fleet) => fleet.drain('spare', { graceMs: stage.number(0, 5_000) }))
      } else if (stage.chance(0.1)) await stage.crash({ downFor: stage.number(0, 40_000) })
      else if (stage.chance(0.4)) {
        const id = `more-${(added += 1)}`
        await stage.act('tasks were added', async (fleet) => {
          await (
            await fleet.run('run-0')
          ).add([{ id, name: id, instructions: 'Play.', handler: stage.pick(['slow', 'flaky', 'cut']) }])
        })
      } else await disturb(stage, 1)
    }
    await stage.act('a run was sealed', async (fleet) => (await fleet.run('run-0')).seal())
  },
}

const verdicts: readonly ['pass', ...('pass' | 'fail')[]] = ['pass', 'fail', 'fail']
const files: readonly [string, ...string[]] = ['there', 'missing', '']

/** A file that has to be there, or a person. */
function scorerOf(path: string): { readonly kind: 'file_exists'; readonly path: string } | { readonly kind: 'manual' } {
  return path === '' ? { kind: 'manual' } : { kind: 'file_exists', path }
}

/** Runs that are created long before they start, tasks that wait for their time, results that are judged by files and by people. */
const judged: Scenario = {
  name: 'judged',
  fleet: { workers: [played('near', { slots: 2 }), played('far', { remote: true })], files: { there: 'yes' } },
  async play(stage) {
    const runs = stage.upTo(3)
    for (let index = 0; index < runs; index += 1) {
      const tasks = (tasksOf(stage, 4) ?? []).map((task) => ({
        ...task,
        handler: stage.pick(['quick', 'quick', 'slow', 'flaky']),
        scorer: scorerOf(stage.pick(files)),
        ...(stage.chance(0.4) && { not_before: new Date(epoch + stage.number(0, 120_000)).toISOString() }),
      }))
      const spec = { id: `run-${index}`, name: `run ${index}`, tasks }
      await stage.act('a run was created', (fleet) => fleet.create(spec, { idempotencyKey: spec.id }))
    }
    const deeds = stage.upTo(16)
    for (let index = 0; index < deeds; index += 1) {
      await stage.wait(stage.pick([0, 10, 5_000, 30_000]))
      const id = `run-${stage.number(0, runs - 1)}`
      const by = { by: 'ada', result: stage.pick(verdicts) }
      const task = `t${stage.number(0, 3)}`
      if (stage.chance(0.3)) await stage.act('a run was asked to start', async (fleet) => (await fleet.run(id)).start())
      else if (stage.chance(0.4)) await stage.act('a result was settled', async (fleet) => (await fleet.run(id)).settle(task, by))
      else if (stage.chance(0.1)) await stage.crash()
      else if (stage.chance(0.35)) await together(stage, id, task)
      else await disturb(stage, runs)
    }
  },
}

/** When every simulation begins. */
const epoch = Date.UTC(2030, 0, 1)

/** Commands of one moment, before anything else of it. */
async function together(stage: Stage, id: string, task: string): Promise<void> {
  const second = stage.pick(['pause', 'cancel', 'restart'])
  await stage.act('a run was asked two things at once', async (fleet) => {
    const run = await fleet.run(id)
    const asked = [run.start(), second === 'pause' ? run.pause() : second === 'cancel' ? run.cancel() : run.restart(task)]
    for (const outcome of await Promise.allSettled(asked)) if (outcome.status === 'rejected') throw outcome.reason
  })
}

const spending: Readonly<Record<string, Plays>> = {
  spends: [script().after('3s').usage({ outputTokens: 40 }).tool('make').after('9s').usage({ inputTokens: 30 }).complete()],
  'hands back': [script().usage({ outputTokens: 60 }).after('2s').usage({ outputTokens: 60 }).untilHandBack().complete('so far')],
  'spends in vain': [script().usage({ outputTokens: 30 }).after('4s').fail('in vain')],
  deaf: [script().usage({ outputTokens: 200 }).stall(), script().complete()],
}

function spender(id: string, options: Parameters<typeof worker>[1]): ReturnType<typeof worker> {
  return Object.entries(spending).reduce((all, [name, some]) => all.on(name, ...some), played(id, options))
}

type Budget = { readonly max_tokens?: number; readonly max_seconds?: number; readonly max_tool_calls?: number }

const paths: readonly [string, ...string[]] = ['src', 'src/app', 'src/lib', 'docs', '.']

/** Tasks that claim and share things, and budgets of tasks and runs, over several runs on many slots. */
const bounded: Scenario = {
  name: 'bounded',
  fleet: {
    workers: [spender('near', { slots: 4 }), spender('far', { slots: 4, remote: true })],
    concurrency: { classes: { build: { atOnce: 2 }, api: { perInterval: { starts: 2, intervalMs: 30_000 } } } },
    limits: { handBackGraceMs: 5_000 },
  },
  async play(stage) {
    const runs = stage.upTo(3)
    for (let index = 0; index < runs; index += 1) {
      const tasks = (tasksOf(stage, 6) ?? []).map((task) => ({
        ...task,
        handler: stage.pick(['spends', 'hands back', 'spends in vain', 'deaf', 'quick', 'stuck', 'deadly']),
        metadata: {
          ...(stage.chance(0.3) && { class: stage.pick(['build', 'api', 'free']) }),
          ...(stage.chance(0.2) && { coordination_contracts: [stage.pick(['schema', 'api'])] }),
        },
        ...(stage.chance(0.3) && { concurrency_key: stage.pick(['one', 'two']) }),
        ...(stage.chance(0.4) && { workspace: { writable_paths: [stage.pick(paths)] } }),
        ...(stage.chance(0.5) && {
          budget: stage.pick<Budget>([{ max_tokens: 100 }, { max_seconds: 8 }, { max_tool_calls: 0 }]),
        }),
      }))
      await stage.start({
        id: `run-${index}`,
        name: `run ${index}`,
        tasks,
        ...(stage.chance(0.3) && { budget: stage.pick<Budget>([{ max_tokens: 150 }, { max_seconds: 30 }]) }),
      })
    }
    const deeds = stage.upTo(8)
    for (let index = 0; index < deeds; index += 1) {
      await stage.wait(stage.number(0, 15_000))
      if (stage.chance(0.12)) await stage.crash({ downFor: stage.number(0, 90_000) })
      else if (stage.chance(0.05)) await stage.takeOver()
      else await disturb(stage, runs)
    }
  },
}

export const scenarios: readonly Scenario[] = [busy, churn, judged, bounded]
