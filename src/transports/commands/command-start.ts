import type { Clock } from '../../ports/clock.ts'
import type { Confinement } from '../../protocol/wire.ts'
import type { CommandOrder, CommandStart } from './command-attempt.ts'
import { inputPath, leaseEntries } from './command-launch.ts'
import { type CommandOutcome, finalFailure, hostFailure, startFailure } from './command-outcome.ts'
import { type CommandSandbox, planConfined } from './command-sandbox.ts'
import { startProgram } from '../program.ts'
import { type SandboxedProgram, startSandboxed } from './sandboxed-program.ts'

/** What starting commands on this machine takes. */
export interface CommandStartParts {
  readonly storeId: string
  readonly clock: Clock
  readonly drainLimitMs: number
  /** What confines commands that must be confined; undefined where nothing can. */
  readonly sandbox: () => CommandSandbox | undefined
}

/** Starts commands as child processes: those that must be confined in a sandbox, where there is one. */
export function commandStart(parts: CommandStartParts): CommandStart {
  const { clock, drainLimitMs } = parts
  return async (order) => {
    const { assign, launch, output } = order
    if (assign.confined !== undefined) return startConfined(parts, order, assign.confined)
    return startProgram(launch, { clock, drainLimitMs, stdout: output.stdout, stderr: output.stderr }).catch((error: unknown) =>
      startFailure(launch.program, error),
    )
  }
}

/** What must be confined and cannot be is not run (SE2). */
async function startConfined(
  { storeId, clock, drainLimitMs, sandbox }: CommandStartParts,
  { assign, launch, signal, output }: CommandOrder,
  confined: Confinement,
): Promise<SandboxedProgram | CommandOutcome> {
  const available = sandbox()
  if (available === undefined) return finalFailure(`cannot run ${launch.program}: nothing here can confine it`)
  const identity = leaseEntries(assign, storeId)
  const { root, folder } = assign
  const place = { root, folder, input: inputPath(folder), readsArtifacts: false }
  const plan = await planConfined(launch, { place, confined, identity, sandbox: available })
  if ('problem' in plan) return finalFailure(`cannot run ${launch.program} in a sandbox: ${plan.problem}`)
  const { stdout, stderr } = output
  const started = await startSandboxed(plan, { host: available.host, clock, drainLimitMs, signal, stdout, stderr })
  if ('missing' in started) {
    return finalFailure(
      `cannot run ${launch.program}: there is no such program in the sandbox, which sees /usr and its workspace`,
    )
  }
  if ('unbuilt' in started)
    return hostFailure(new Error(`no sandbox for ${launch.program}: ${started.unbuilt}\n${output.recent}`))
  return started
}
