import type { Json } from '../../protocol/json.ts'
import type { AttemptKey, FailedMessage, ResultMessage } from '../../protocol/wire.ts'
import type { ProgramEnd } from '../program.ts'

/** What a command's attempt came to, without its key. */
export type CommandOutcome = Omit<ResultMessage, keyof AttemptKey> | Omit<FailedMessage, keyof AttemptKey>

/** How a program ended, as RE7 sees it: its own exit is a verdict, a signal is none. */
export function outcomeOf(
  end: ProgramEnd,
  left: { readonly output: Json | undefined; readonly summary: string | undefined; readonly recent: string },
): CommandOutcome {
  if (end.unrunnable !== undefined) return finalFailure(end.unrunnable)
  if (end.lost !== undefined) return hostFailure(new Error(end.lost))
  if (end.exitCode === undefined) {
    const because = end.because === undefined ? '' : `: ${end.because}`
    return { type: 'failed', failure_kind: 'transport', reason: `killed by ${end.signal ?? 'a signal'}${because}` }
  }
  if (end.exitCode !== 0) {
    const reason = `exit code ${end.exitCode}${left.recent === '' ? '' : `\n${left.recent.trimEnd()}`}`
    return { type: 'failed', failure_kind: 'task', reason, exit_code: end.exitCode, recoverable: true }
  }
  return {
    type: 'result',
    exit_code: 0,
    ...(left.summary === undefined ? {} : { summary: left.summary }),
    ...(left.output === undefined ? {} : { output: left.output }),
    ...(end.evidenceRoot === undefined ? {} : { evidence_root: end.evidenceRoot }),
  }
}

/** What trying again cannot mend (RE3). */
export function finalFailure(reason: string): CommandOutcome {
  return { type: 'failed', failure_kind: 'task', reason, recoverable: false }
}

/** What the machine could not do this time. */
export function hostFailure(error: unknown): CommandOutcome {
  return { type: 'failed', failure_kind: 'transport', reason: messageOf(error), recoverable: true }
}

/** Why a program could not be started: a command that does not exist or may not be run is final, a machine without room is not (RE3, RE7). */
export function startFailure(program: string, error: unknown): CommandOutcome {
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  const why = finalStartErrors[code]
  if (why !== undefined) return finalFailure(`cannot run ${program}: ${why} (${code})`)
  return hostFailure(new Error(`cannot run ${program}: ${messageOf(error)}`, { cause: error }))
}

const finalStartErrors: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such program, or the interpreter that it names is missing',
  EACCES: 'it may not be executed',
  EPERM: 'it may not be executed',
  ENOTDIR: 'a part of its path is no folder',
  EISDIR: 'it is a folder',
  ELOOP: 'its path has too many links',
  ENOEXEC: 'it is no program for this machine',
  E2BIG: 'its arguments and environment are too long',
  ENAMETOOLONG: 'its name is too long',
  ERR_INVALID_ARG_VALUE: 'an argument or a variable of its environment has a NUL in it',
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
