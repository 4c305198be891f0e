import { mkdir, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { CheckCommand, CheckEnd, CheckRunner } from '../ports/check-runner.ts'
import type { Clock } from '../ports/clock.ts'
import type { Environment } from '../ports/environment.ts'
import type { Enforcement } from '../ports/transport.ts'
import type { Confinement } from '../protocol/wire.ts'
import type { Redactor } from '../security/redactor.ts'
import { type CheckOutput, createCheckOutput } from './check-output.ts'
import { artifactsFolder, type CommandLaunch, inherited, leaseEntries } from './command-launch.ts'
import { startFailure } from './command-outcome.ts'
import { type CommandSandbox, planConfined } from './command-sandbox.ts'
import { killCarriers } from './orphans.ts'
import { type Program, startProgram } from './program.ts'
import { type SandboxedProgram, startSandboxed } from './sandboxed-program.ts'

/** What running checks on this machine takes. */
export interface CheckParts {
  readonly clock: Clock
  readonly environment: Environment
  /** How long a group that was asked to end may take before it is killed (HO3). */
  readonly termToKillMs: number
  /** How long processes that hold the output open may outlive the leader (HO3). */
  readonly drainLimitMs: number
  readonly enforces: () => Enforcement
  /** What confines commands that must be confined; undefined where nothing can. */
  readonly sandbox: () => CommandSandbox | undefined
  /** Covers the secrets that are in use; asked anew for each check. */
  readonly redactor: (() => Redactor | undefined) | undefined
}

type Started = Program | SandboxedProgram

/**
 * Runs the commands of scorers on this machine, as the commands of tasks are run: without a shell, in a process group of their own, with the
 * essentials, what the task allows and the lease as their environment (WS3, LE6), and no secret.
 */
export function createCheckRunner(parts: CheckParts): CheckRunner {
  return {
    get enforces() {
      return parts.enforces()
    },
    async run(command, { signal }) {
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
    },
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
  if (end.exitCode !== undefined) return { exitCode: end.exitCode, output: text, ...(score !== undefined && { score }) }
  return { problem: `${program} was killed by ${end.signal ?? 'a signal'}.`, output: text }
}

interface Starting {
  readonly signal: AbortSignal
  readonly output: CheckOutput
}

async function startCheck(
  parts: CheckParts,
  command: CheckCommand,
  starting: Starting,
): Promise<Started | { readonly problem: string }> {
  const { clock, drainLimitMs } = parts
  const { program, root, folder, confined } = command
  if (!(await isFolder(root))) return { problem: `Its workspace root ${root} is no folder.` }
  await mkdir(artifactsFolder(folder), { recursive: true })
  await writeFile(inputOf(folder), JSON.stringify(command.input, null, 2))
  starting.signal.throwIfAborted()
  const launch = launchOf(parts, command)
  if (confined !== undefined) return startConfined(parts, command, { ...starting, launch, confined })
  const { stdout, stderr } = starting.output
  return startProgram(launch, { clock, drainLimitMs, stdout, stderr }).catch((error: unknown) => {
    const failure = startFailure(program, error)
    return { problem: failure.type === 'failed' ? failure.reason : String(error) }
  })
}

/** What must be confined and cannot be is not run (SE2). */
async function startConfined(
  { clock, drainLimitMs, sandbox }: CheckParts,
  { key, storeId, program, root, folder }: CheckCommand,
  { launch, confined, signal, output }: Starting & { readonly launch: CommandLaunch; readonly confined: Confinement },
): Promise<SandboxedProgram | { readonly problem: string }> {
  const available = sandbox()
  if (available === undefined) return { problem: `Nothing here can confine ${program}.` }
  const place = { root, folder, input: inputOf(folder), readsArtifacts: true }
  const identity = leaseEntries(key, storeId)
  const plan = await planConfined(launch, { place, confined, identity, sandbox: available })
  if ('problem' in plan) return { problem: `${program} cannot run in a sandbox: ${plan.problem}.` }
  const { stdout, stderr } = output
  const started = await startSandboxed(plan, { host: available.host, clock, drainLimitMs, signal, stdout, stderr })
  if ('missing' in started)
    return { problem: `There is no program ${program} in the sandbox, which sees /usr and its workspace.` }
  return 'unbuilt' in started ? { problem: `No sandbox for ${program}: ${started.unbuilt}.` } : started
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
