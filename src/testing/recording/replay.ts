import { openFleet } from '../../fleet/open-fleet.ts'
import type { FleetCalls } from '../../fleet/calls.ts'
import type { FleetLimits } from '../../fleet/options.ts'
import type { NotedOpening, NotedWorker } from '../../fleet/seamed-calls.ts'
import type { WorkerPlan } from '../../fleet/workers-of.ts'
import { quiet } from '../../host/quiet.ts'
import { seededIds } from '../../host/seeded-ids.ts'
import { FleetError } from '../../protocol/errors.ts'
import type { Step } from '../../recording/step.ts'
import { createMemoryStore } from '../../store/memory.ts'
import { createSettling } from '../settling.ts'
import { lengthOfTime } from '../timeline.ts'
import { createVirtualClock } from '../virtual-clock.ts'
import { otherwise } from './divergence.ts'
import type { Divergence, Otherwise } from './divergence.ts'
import type { RecordedStep, Recording } from './open-recording.ts'
import { createReplayedWorld } from './replayed-world.ts'
import type { Done, ReplayedWorld } from './replayed-world.ts'

/** What became of a replay. */
export interface Replay {
  /** The code decided everything as it is recorded. */
  readonly same: boolean
  /** How many steps were played: all, or up to the one that is otherwise. */
  readonly steps: number
  /** Where it decides otherwise first; nothing after that can be compared. */
  readonly divergence?: Divergence
}

/** How to replay. */
export interface ReplayOptions {
  /** Limits that are to be other than they were. */
  readonly limits?: Partial<FleetLimits>
}

/**
 * Runs the engine of today against a recording: it gets everything that came in, at its moment, with the draws that were drawn, and what
 * it does is held against what was recorded. Nothing is touched: no store, no file, no worker, no timer. What handlers and workers said is
 * part of the recording, so they do not run again. Rejects `invalid_option` for a journal without commands.
 */
export async function replay(recording: Recording, options: ReplayOptions = {}): Promise<Replay> {
  if (!recording.hasCommands) {
    throw new FleetError(
      'invalid_option',
      'A journal holds what was decided, not what it was decided upon, so it cannot be played again. Record with `record: true`.',
    )
  }
  const lives = new Map<number, Life>()
  const began = recording.steps[0]?.at ?? 0
  for (const { number, recorded, text } of recording.steps) {
    // A recording that has commands has all of every step.
    if (recorded === undefined) continue
    const life = lives.get(recorded.life) ?? createLife(recording.steps, recorded.life, options, began)
    lives.set(recorded.life, life)
    const found = await life.play(recorded)
    if (found !== undefined)
      return { same: false, steps: number, divergence: placed(found, { number, at: recorded.at - began, text }) }
  }
  return { same: true, steps: recording.steps.length }
}

function placed(
  { lines, ...found }: Otherwise,
  { number, at, text }: { readonly number: number; readonly at: number; readonly text: string },
): Divergence {
  const where = `The code decides otherwise at step ${number}, +${lengthOfTime(at)}, after: ${text}`
  return { step: number, ...found, text: [where, ...lines.map((line) => `  ${line}`)].join('\n') }
}

/** One process of a recording, played again. */
interface Life {
  /** What it does otherwise in this step, if anything. */
  play(step: Step): Promise<Otherwise | undefined>
}

/** A deadline may be met so much later than it was due. */
const latenessMs = 1_000

function createLife(steps: readonly RecordedStep[], life: number, options: ReplayOptions, began: number): Life {
  const world = createReplayedWorld()
  const settled = createSettling()
  const metDues = duesOf(steps, life)
  let calls: FleetCalls | undefined

  function call(input: Extract<Step['input'], { kind: 'call' }>): void {
    world.calling(input.number)
    // The answer is compared when it comes; that it may never come is part of a recording.
    if (input.call === 'open') {
      void openAgain(world, input.args as NotedOpening, options).then(
        (opened) => void (calls = opened),
        () => undefined,
      )
    } else if (calls !== undefined) void callAgain(calls, input.call, input.args).catch(() => undefined)
  }

  /** Deadlines that the code has now and that the recording does not: they are met in their time, to see what comes of them. */
  async function meetOthers(step: Step): Promise<Otherwise | undefined> {
    for (;;) {
      const due = world.nextDeadline((at) => at + latenessMs <= step.up && !metDues.has(at))
      if (due === undefined) return undefined
      const at = step.at - (step.up - due)
      const done = world.begin({ at, up: due })
      world.letIn({ kind: 'deadline', due })
      await quiet()
      const found = otherwise({}, done, began)
      if (found !== undefined)
        return {
          ...found,
          lines: [
            `before it, at +${lengthOfTime(at - began)}, the code meets a deadline that the recording does not have:`,
            ...found.lines,
          ],
        }
    }
  }

  async function letIn(step: Step): Promise<{ readonly done: Done; readonly isAwaited: boolean }> {
    const done = world.begin(step)
    if (step.input.kind === 'call') call(step.input)
    const isAwaited = world.letIn(step.input)
    await (step.input.kind === 'nothing' ? settled() : quiet())
    return { done, isAwaited }
  }

  return {
    async play(step) {
      const other = await meetOthers(step)
      if (other !== undefined) return other
      const { done, isAwaited } = await letIn(step)
      return otherwise(step, done, began) ?? (isAwaited ? undefined : unawaited(step))
    },
  }
}

/** Moments at which the recording met a deadline, or took one back too late. */
function duesOf(steps: readonly RecordedStep[], life: number): ReadonlySet<number> {
  const dues = new Set<number>()
  for (const { recorded } of steps) {
    if (recorded?.life !== life) continue
    if (recorded.input.kind === 'deadline') dues.add(recorded.input.due)
    for (const due of recorded.missed ?? []) dues.add(due)
  }
  return dues
}

/** The recording has something come in that the code does not wait for. A deadline from which nothing follows is no difference. */
function unawaited({ input }: Step): Otherwise | undefined {
  const what = input.kind === 'answer' ? input.to : input.kind === 'heard' ? `listens to ${input.from}` : undefined
  if (what === undefined) return undefined
  return { kind: 'asked', expected: what, found: undefined, lines: [`recorded: ${what}`, 'now:      not asked'] }
}

async function openAgain(world: ReplayedWorld, opening: NotedOpening, { limits }: ReplayOptions): Promise<FleetCalls> {
  const { calls } = await openFleet(
    {
      ...opening.options,
      limits: { ...opening.limits, ...limits },
      ...(opening.verifies && { verifier: unasked }),
      store: createMemoryStore({ clock: createVirtualClock(), ids: seededIds('replay') }),
      ids: seededIds('replay'),
      clock: createVirtualClock(),
    },
    { standIn: { seam: world.seam, plans: opening.workers.map(planOf) } },
  )
  return calls
}

/** What a verifier said is part of the recording. */
function unasked(): never {
  throw new Error('A replay asks no verifier.')
}

/** The way to a worker is the seam's. */
function planOf({ facts, transport }: NotedWorker): WorkerPlan {
  return {
    facts,
    transport: {
      ...transport,
      open: async () => {
        throw new Error('A worker of a recording cannot be started.')
      },
    },
  }
}

/** Calls by the name that they are recorded with. */
const callers: { readonly [Name in keyof FleetCalls]: (calls: FleetCalls, args: never) => Promise<unknown> } = {
  create: (calls, args) => calls.create(args),
  perform: (calls, args) => calls.perform(args),
  add: (calls, args) => calls.add(args),
  delete: (calls, args) => calls.delete(args),
  addWorker: (calls, args: NotedWorker) => calls.addWorker(planOf(args)),
  drain: (calls, args) => calls.drain(args),
  close: (calls, args) => calls.close(args),
}

async function callAgain(calls: FleetCalls, name: string, args: unknown): Promise<unknown> {
  const caller = Object.hasOwn(callers, name) ? callers[name as keyof FleetCalls] : undefined
  // The arguments are those that the call had.
  return caller?.(calls, args as never)
}
