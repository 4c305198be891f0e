import type { AttemptContext } from '../worker/attempt.ts'
import { FailedWork } from '../worker/failure.ts'
import type { Script, ScriptEnd, ScriptStep } from './script.ts'
import type { Play } from './scripted-worker.ts'

/** What happens to a worker, rather than to its attempt. */
export interface Mishaps {
  stall(how: { readonly deaf: boolean }): void
  crash(): void
  disconnect(ms: number): void
}

type Row<Kind, Result> = (what: Kind, attempt: AttemptContext, mishaps: Mishaps) => Result
type Steps = { readonly [Does in ScriptStep['does']]: Row<Extract<ScriptStep, { does: Does }>, Promise<unknown> | void> }
type Ends = { readonly [How in ScriptEnd['ends']]: Row<Extract<ScriptEnd, { ends: How }>, unknown> }

/** A play as a handler runs it. */
export function playing(play: Play, mishaps: Mishaps): (attempt: AttemptContext) => unknown {
  if (typeof play === 'function') return play
  return (attempt) => perform(play, attempt, mishaps)
}

async function perform({ steps, end }: Script, attempt: AttemptContext, mishaps: Mishaps): Promise<unknown> {
  // A kind and its row have the same type, which the compiler cannot see through the table.
  for (const step of steps) await (stepRows[step.does] as Row<ScriptStep, Promise<unknown> | void>)(step, attempt, mishaps)
  return (endRows[end.ends] as Row<ScriptEnd, unknown>)(end, attempt, mishaps)
}

const stepRows: Steps = {
  wait: ({ ms }, attempt) => attempt.delay(ms),
  tool: ({ name }, attempt) => attempt.tool(name),
  model: ({ name }, attempt) => attempt.modelWait(name),
  usage: ({ inputTokens, outputTokens }, attempt) => attempt.usage({ inputTokens, outputTokens }),
  log: ({ text }, attempt) => attempt.log(text),
  artifact: ({ artifact }, attempt) => attempt.artifact(artifact),
  disconnect: ({ ms }, _, mishaps) => mishaps.disconnect(ms),
  until_hand_back: (_, attempt) => untilAsked(attempt),
}

const endRows: Ends = {
  complete: ({ output }) => output,
  fail: (failure) => new FailedWork(failure),
  stall({ deaf }, attempt, mishaps) {
    mishaps.stall({ deaf })
    return untilStopped(attempt.signal)
  },
  crash(_, attempt, mishaps) {
    mishaps.crash()
    return untilStopped(attempt.signal)
  },
}

/** Ends with the ask to hand back, or with the attempt. */
function untilAsked({ handBack, signal }: AttemptContext): Promise<void> {
  if (handBack.aborted) return Promise.resolve()
  return new Promise((resolve, reject) => {
    handBack.addEventListener('abort', () => resolve(), { once: true })
    signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true })
  })
}

function untilStopped(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true })
  })
}
