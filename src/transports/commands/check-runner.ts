import { mkdir, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { CheckCommand, CheckEnd } from '../../ports/check-runner.ts'
import type { Clock } from '../../ports/clock.ts'
import type { Environment } from '../../ports/environment.ts'
import type { Redactor } from '../../security/redactor.ts'
import { type CheckOutput, createCheckOutput } from './check-output.ts'
import { artifactsFolder, type CommandLaunch, inherited, leaseEntries } from './command-launch.ts'
import type { ConfinedProgram } from './command-attempt.ts'
import { killCarriers } from '../orphans.ts'
import type { Program } from '../program.ts'

/** A check that is to be started; its folder holds its input. */
export interface CheckOrder {
  readonly command: CheckCommand
  /** The file in which it finds its input. */
  readonly input: string
  readonly launch: CommandLaunch
  readonly signal: AbortSignal
  readonly output: CheckOutput
}

/** Starts a check where it is to run, or says in a sentence why it cannot be. */
export type CheckStart = (order: CheckOrder) => Promise<Program | ConfinedProgram | { readonly problem: string }>

/** What running checks takes. */
export interface CheckParts {
  readonly clock: Clock
  readonly environment: Environment
  /** How long what was asked to end may take before it is killed (HO3). */
  readonly termToKillMs: number
  readonly start: CheckStart
  /** Covers the secrets that are in use; asked anew for each check. */
  readonly redactor: (() => Redactor | undefined) | undefined
}

type Started = Program | ConfinedProgram

/**
 * Runs the command of a scorer as the commands of tasks are run: without a shell, with the essentials, what the task allows and the lease
 * as its environment (WS3, LE6), and no secret.
 */
export async function runCheck(
  parts: CheckParts,
  command: CheckCommand,
  { signal }: { readonly signal: AbortSignal },
): Promise<CheckEnd> {
  const output = createCheckOutput(parts.redactor?.())
  const started = await startCheck(parts, command, { signal, output })
  if ('problem' in started) return { ...started, output: output.text }
  const stop = () => started.terminate(parts.termToKillMs)
  signal.addEventListener('abort', stop, { once: true })
  if (signal.aborted) stop()
  try {
    return await endOf(parts, command, { signal, output, started })
  } finally {
    signal.removeEventListener('abort', stop)
    if ('release' in started) await started.release()
  }
}

async function endOf(
  { clock }: CheckParts,
  { key, storeId, program }: CheckCommand,
  { signal, output, started }: { readonly signal: AbortSignal; readonly output: CheckOutput; readonly started: Started },
): Promise<CheckEnd> {
  const end = await started.ended
  output.end()
  // Processes that left the group still carry the lease of the attempt (LE6).
  if (signal.aborted || !end.isDrained) {
    await killCarriers({ entries: Object.entries(leaseEntries(key, storeId)).map(([name, value]) => `${name}=${value}`), clock })
  }
  const { score, text } = output
  if (end.unrunnable !== undefined) return { problem: `${end.unrunnable}.`, output: text }
  if (end.exitCode !== undefined) return { exitCode: end.exitCode, output: text, ...(score !== undefined && { score }) }
  if (end.lost !== undefined) return { problem: `Nobody knows how ${program} ended: ${end.lost}.`, output: text }
  const because = end.because === undefined ? '' : `: ${end.because}`
  return { problem: `${program} was killed by ${end.signal ?? 'a signal'}${because}.`, output: text }
}

async function startCheck(
  parts: CheckParts,
  command: CheckCommand,
  starting: Pick<CheckOrder, 'signal' | 'output'>,
): Promise<Started | { readonly problem: string }> {
  const { root, folder } = command
  if (!(await isFolder(root))) return { problem: `Its workspace root ${root} is no folder.` }
  await mkdir(artifactsFolder(folder), { recursive: true })
  const input = inputOf(folder)
  // The attempt may have put a link there, which leads elsewhere.
  await rm(input, { recursive: true, force: true })
  await writeFile(input, JSON.stringify(command.input, null, 2), { flag: 'wx' })
  starting.signal.throwIfAborted()
  return parts.start({ ...starting, command, input, launch: launchOf(parts, command) })
}

function launchOf(parts: CheckParts, { key, storeId, program, args, root, folder, environment }: CheckCommand): CommandLaunch {
  return {
    program,
    args,
    cwd: root,
    environment: {
      ...inherited(parts.environment),
      ...environment,
      ...leaseEntries(key, storeId),
      FLOTILLA_FOLDER: folder,
      FLOTILLA_ARTIFACTS: artifactsFolder(folder),
      FLOTILLA_INPUT: inputOf(folder),
    },
  }
}

/** Beside the attempt's own input, which it may have changed. */
function inputOf(folder: string): string {
  return join(folder, 'scorer-input.json')
}

async function isFolder(path: string): Promise<boolean> {
  const facts = await stat(path).catch(() => undefined)
  return facts?.isDirectory() === true
}
