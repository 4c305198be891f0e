import { FleetError } from '../index.ts'
import type { FleetErrorCode } from '../index.ts'
import { withoutControls } from './text-width.ts'
import type { Terminal } from './terminal.ts'

/** What was asked for was wrong, so nothing was done. */
const misuse: ReadonlySet<FleetErrorCode> = new Set([
  'usage',
  'invalid_document',
  'invalid_option',
  'unreadable_file',
  'too_large',
  'unenforceable',
  'unsupported_target',
  'impossible_task',
  'unknown_run',
  'unknown_task',
  'unknown_worker',
  'unknown_handler',
  'cursor_unavailable',
  'run_exists',
  'run_conflict',
])

/** Tells an error once, on standard error and, with `--json`, as the last line of standard output. Gives the exit code. */
export function tellFailure(terminal: Terminal, error: unknown, json: boolean): number {
  const known = FleetError.is(error)
  const system = known ? undefined : systemError(error)
  const code = known ? error.code : (system?.code ?? 'internal')
  const message = withoutControls(
    known
      ? error.message
      : system !== undefined
        ? `The system refused: ${system.message}`
        : `Something went wrong inside flotilla: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`,
  )
  terminal.err(`flotilla: ${message}\n`)
  if (json) terminal.out(`${JSON.stringify({ error: { code, message, details: known ? error.details : {} } })}\n`)
  return exitCodeOfError(error)
}

/** A full disk, a folder that may not be read: the system says it best. */
function systemError(error: unknown): { readonly code: string; readonly message: string } | undefined {
  if (!(error instanceof Error) || !('syscall' in error) || !('code' in error) || typeof error.code !== 'string') return undefined
  return { code: error.code, message: error.message }
}

/** 2 for what was asked wrongly, 1 for what went wrong. */
function exitCodeOfError(error: unknown): number {
  return FleetError.is(error) && misuse.has(error.code) ? 2 : 1
}
