import type { Json } from '../protocol/json.ts'
import type { AttemptArtifact } from '../worker/attempt.ts'
import { milliseconds } from './duration.ts'
import type { Duration } from './duration.ts'

/** One thing that a scripted attempt does. */
export type ScriptStep =
  | { readonly does: 'wait'; readonly ms: number }
  | { readonly does: 'tool'; readonly name: string }
  | { readonly does: 'model'; readonly name: string | undefined }
  | { readonly does: 'usage'; readonly inputTokens: number; readonly outputTokens: number }
  | { readonly does: 'log'; readonly text: string }
  | { readonly does: 'artifact'; readonly artifact: AttemptArtifact }
  | { readonly does: 'disconnect'; readonly ms: number }
  | { readonly does: 'until_hand_back' }

/** How a scripted attempt ends. */
export type ScriptEnd =
  | { readonly ends: 'complete'; readonly output: Json | undefined }
  | { readonly ends: 'fail'; readonly reason: string; readonly recoverable: boolean }
  | { readonly ends: 'stall'; readonly deaf: boolean }
  | { readonly ends: 'crash' }

/** What an attempt does, from its beginning to its end: plain data, made by {@link script}. */
export interface Script {
  readonly steps: readonly ScriptStep[]
  readonly end: ScriptEnd
}

/** A script that is being written. Every method gives a new one, so beginnings can be shared. */
export interface Draft {
  /** Works in silence for a while; its lease is kept alive by heartbeats. */
  after(time: Duration): Draft
  /** Calls a tool. */
  tool(name: string): Draft
  /** Waits for a model. */
  model(name?: string): Draft
  /** Spends tokens. */
  usage(tokens: { readonly inputTokens?: number; readonly outputTokens?: number }): Draft
  log(text: string): Draft
  /** Hands over a file's bytes, and waits for the fleet's answer. One that is refused fails the attempt, as it would fail a handler. */
  artifact(artifact: AttemptArtifact): Draft
  /**
   * The worker's line breaks, and is back after this time. A remote worker goes on working meanwhile and hands over what it had to say
   * (HO7); one that lives with the fleet is lost, and its attempts with it.
   */
  disconnect(time: Duration): Draft

  /** Works until the fleet asks to hand back what there is, since a limit of a budget was crossed (BU2). */
  untilHandBack(): Draft

  complete(output?: Json): Script
  /** `recoverable: false` says that another attempt cannot help (RE3). Default true. */
  fail(reason: string, options?: { readonly recoverable?: boolean }): Script
  /** Hangs: not even a heartbeat comes any more. It ends when it is told to stop; a deaf one never does. */
  stall(options?: { readonly deaf?: boolean }): Script
  /** The worker's whole process dies, with everything that it runs; it is started again. */
  crash(): Script
}

/** Begins a script: `script().after('2s').tool('cargo').complete({ ok: true })`. */
export function script(): Draft {
  return draft([])
}

function draft(steps: readonly ScriptStep[]): Draft {
  const and = (step: ScriptStep): Draft => draft([...steps, step])
  const end = (how: ScriptEnd): Script => ({ steps, end: how })
  return {
    after: (time) => and({ does: 'wait', ms: milliseconds(time) }),
    tool: (name) => and({ does: 'tool', name }),
    model: (name) => and({ does: 'model', name }),
    usage: ({ inputTokens = 0, outputTokens = 0 }) => and({ does: 'usage', inputTokens, outputTokens }),
    log: (text) => and({ does: 'log', text }),
    artifact: (artifact) => and({ does: 'artifact', artifact }),
    disconnect: (time) => and({ does: 'disconnect', ms: milliseconds(time) }),
    untilHandBack: () => and({ does: 'until_hand_back' }),
    complete: (output) => end({ ends: 'complete', output }),
    fail: (reason, { recoverable = true } = {}) => end({ ends: 'fail', reason, recoverable }),
    stall: ({ deaf = false } = {}) => end({ ends: 'stall', deaf }),
    crash: () => end({ ends: 'crash' }),
  }
}
