import type { Clock } from '../../ports/clock.ts'
import type { Confinement } from '../../protocol/wire.ts'
import type { CheckOrder, CheckStart } from './check-runner.ts'
import { leaseEntries } from './command-launch.ts'
import { startFailure } from './command-outcome.ts'
import { type CommandSandbox, planConfined } from './command-sandbox.ts'
import { startProgram } from '../program.ts'
import { type SandboxedProgram, startSandboxed } from './sandboxed-program.ts'

/** What starting checks on this machine takes. */
export interface CheckStartParts {
  readonly clock: Clock
  /** How long processes that hold the output open may outlive the leader (HO3). */
  readonly drainLimitMs: number
  /** What confines commands that must be confined; undefined where nothing can. */
  readonly sandbox: () => CommandSandbox | undefined
}

/** Starts checks as child processes: those that must be confined in a sandbox, where there is one. */
export function checkStart(parts: CheckStartParts): CheckStart {
  const { clock, drainLimitMs } = parts
  return async (order) => {
    const { command, launch, output } = order
    if (command.confined !== undefined) return startConfined(parts, order, command.confined)
    const { stdout, stderr } = output
    return startProgram(launch, { clock, drainLimitMs, stdout, stderr }).catch((error: unknown) => {
      const failure = startFailure(launch.program, error)
      return { problem: failure.type === 'failed' ? failure.reason : String(error) }
    })
  }
}

/** What must be confined and cannot be is not run (SE2). */
async function startConfined(
  { clock, drainLimitMs, sandbox }: CheckStartParts,
  { command, input, launch, signal, output }: CheckOrder,
  confined: Confinement,
): Promise<SandboxedProgram | { readonly problem: string }> {
  const { key, storeId, program, root, folder } = command
  const available = sandbox()
  if (available === undefined) return { problem: `Nothing here can confine ${program}.` }
  const place = { root, folder, input, readsArtifacts: true }
  const identity = leaseEntries(key, storeId)
  const plan = await planConfined(launch, { place, confined, identity, sandbox: available })
  if ('problem' in plan) return { problem: `${program} cannot run in a sandbox: ${plan.problem}.` }
  const { stdout, stderr } = output
  const started = await startSandboxed(plan, { host: available.host, clock, drainLimitMs, signal, stdout, stderr })
  if ('missing' in started)
    return { problem: `There is no program ${program} in the sandbox, which sees /usr and its workspace.` }
  return 'unbuilt' in started ? { problem: `No sandbox for ${program}: ${started.unbuilt}.` } : started
}
