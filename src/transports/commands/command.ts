import type { Clock } from '../../ports/clock.ts'
import type { Environment } from '../../ports/environment.ts'
import type { Redactor } from '../../security/redactor.ts'
import type { Transport } from '../../ports/transport.ts'
import type { SandboxLimits } from '../../security/sandbox.ts'
import { commandsOver } from '../command-way.ts'
import { enforcementOf } from '../enforcement.ts'
import { reapOrphans } from '../orphans.ts'
import type { CommandLimits } from './command-attempt.ts'
import { probeSandbox, type SandboxProbe } from './sandbox-probe.ts'

/** The bounds of commands that nobody gives others. */
export const commandLimits: CommandLimits = {
  termToKillMs: 5_000,
  drainLimitMs: 2_000,
  lineLimit: 1024 * 1024,
  unreadLimit: 4 * 1024 * 1024,
  artifactLimit: 1_000,
}

/** What the commands of a worker find when they run in a sandbox. */
export interface SandboxOptions extends Partial<SandboxLimits> {
  /** Absolute paths besides `/usr` that may be read: where programs are that lie elsewhere. What does not exist is left out. */
  readonly readable?: readonly string[]
}

/** What {@link commandTransport} takes: time, the variables of the fleet's process, and bounds. */
export interface CommandTransportOptions extends Partial<CommandLimits> {
  readonly clock: Clock
  readonly environment: Environment
  readonly sandbox?: SandboxOptions
  /** Folders that no sandbox is shown although its workspace holds them: the store. */
  readonly hidden?: readonly string[]
  /** What this machine has for sandboxes; asked once, when it is first needed. Default: looks by running one. */
  readonly probe?: () => SandboxProbe
  /** Covers the secrets that are in use, before any output is cut; asked anew for each attempt. Default: the fleet covers them alone. */
  readonly redactor?: () => Redactor | undefined
}

/**
 * Runs `metadata.command` of a task as a child process, without a shell, in the task's workspace root.
 *
 * - The command finds its input in the file `FLOTILLA_INPUT` (`{ task, input, previous, dependencies,
 *   allow_parallel_reads, budget_left }`), leaves artifacts as files in `FLOTILLA_ARTIFACTS`, and its output as `output.json` in `FLOTILLA_FOLDER`. What it writes becomes the attempt's log.
 * - Exit code 0 is a result with the last line of its standard output as the summary; another one a `task` failure; a signal a `transport` failure.
 * - Its environment holds the platform's essentials, the names that its task allows, its secrets, and its lease; nothing else (WS3).
 * - Nothing of it outlives the attempt: it leads a process group, which is killed at its end (HO3), and `reap` kills what a fleet
 *   that crashed has left (LE6).
 *
 * An attempt that must be confined runs in a sandbox of the operating system, where there is one (SE3, HO6); otherwise the transport says
 * that it enforces nothing, and gets no such attempt (SE2). Other attempts are confined in nothing else.
 */
export function commandTransport(options: CommandTransportOptions): Transport & Required<Pick<Transport, 'checks'>> {
  const { clock, probe = probeSandbox } = options
  let answer: SandboxProbe | undefined
  const probed = (): SandboxProbe => (answer ??= probe())
  return commandsOver('command', {
    enforces: () => enforcementOf(probed()),
    make: ({ localCommands }) => localCommands({ ...options, probe: probed }),
    reap: ({ storeId, recorded }) => reapOrphans({ storeId, recorded, clock }),
  })
}
