import type { AttemptKey, FromWorker, ToWorker } from '../protocol/wire.ts'
import type { Clock } from '../ports/clock.ts'
import type { Environment } from '../ports/environment.ts'
import type { Redactor } from '../security/redactor.ts'
import type { Channel, ChannelEnd, Enforcement, Transport, WorkerLaunch } from '../ports/transport.ts'
import { sandboxLimits } from '../security/sandbox.ts'
import type { SandboxLimits } from '../security/sandbox.ts'
import { createCheckRunner } from './check-runner.ts'
import { type CommandLimits, type CommandParts, type RunningCommand, runCommand } from './command-attempt.ts'
import type { CommandSandbox } from './command-sandbox.ts'
import { createMessageChannel } from './message-channel.ts'
import { reapOrphans } from './orphans.ts'
import { probeSandbox, type SandboxProbe } from './sandbox-probe.ts'

const defaultLimits: CommandLimits = {
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
  const { clock, environment, redactor, sandbox = {}, hidden = [], probe = probeSandbox, ...limits } = options
  const { readable = [], ...bounds } = sandbox
  let probed: SandboxProbe | undefined
  const available = (): CommandSandbox | undefined => {
    probed ??= probe()
    return 'host' in probed ? { host: probed.host, limits: { ...sandboxLimits, ...bounds }, readable, hidden } : undefined
  }
  const enforces = (): Enforcement => {
    const isThere = available() !== undefined
    const all = { network: isThere, fileWrites: isThere, environment: isThere, processes: isThere }
    return probed !== undefined && 'missing' in probed ? { ...all, because: probed.missing } : all
  }
  const { termToKillMs, drainLimitMs } = { ...defaultLimits, ...limits }
  return {
    kind: 'command',
    get enforces() {
      return enforces()
    },
    checks: createCheckRunner({ clock, environment, redactor, sandbox: available, enforces, termToKillMs, drainLimitMs }),
    heartbeats: 'fleet',
    startsAtOnce: false,
    survives: false,
    serves: { handlers: [], commands: true, plain: false },
    async open(launch, { signal }) {
      signal.throwIfAborted()
      return createChannel(launch, { clock, environment, redactor, limits: { ...defaultLimits, ...limits }, sandbox: available })
    },
    reap: ({ storeId, recorded }) => reapOrphans({ storeId, recorded, clock }),
  }
}

function createChannel(
  launch: WorkerLaunch,
  parts: Pick<CommandParts, 'clock' | 'environment' | 'limits' | 'sandbox'> & Pick<CommandTransportOptions, 'redactor'>,
): Channel {
  const messages = createMessageChannel<FromWorker>(weigh)
  const running = new Map<string, RunningCommand>()
  let announceEnd!: (end: ChannelEnd) => void
  const closed = new Promise<ChannelEnd>((resolve) => (announceEnd = resolve))
  let closing: Promise<void> | undefined

  const receive = (message: ToWorker) => {
    const name = nameOf(message)
    const command = running.get(name)
    if (message.type === 'stop') return command?.stop(message)
    if (message.type === 'collected') return command?.collected(message)
    if (message.type === 'hand_back') return command?.handBack(message.grace_ms)
    if (command !== undefined || closing !== undefined) return
    const started = runCommand({
      ...parts,
      redactor: parts.redactor?.(),
      assign: message,
      storeId: launch.storeId,
      unread: () => messages.backlog,
      send: messages.push,
    })
    running.set(name, started)
    // `done` never rejects; the entry goes when nothing of the command is left.
    void started.done.then(() => running.delete(name))
  }

  const finish = async (reason: string) => {
    await Promise.all([...running.values()].map((command) => command.done))
    messages.end()
    announceEnd({ reason, asked: true })
  }

  /** Closing again, with less grace, hurries what is left. */
  const close = ({ reason, graceMs }: { readonly reason: string; readonly graceMs: number }) => {
    for (const command of running.values()) command.stop({ code: 'fleet_closed', reason, grace_ms: graceMs })
    return (closing ??= finish(reason))
  }

  messages.push({ type: 'hello', worker_id: launch.workerId, incarnation: launch.incarnation, attempts: [] })
  return { send: receive, messages, closed, close }
}

/** Text counts by its length: it is the only thing that a command can send without end. */
function weigh(message: FromWorker): number {
  return message.type === 'log' ? message.text.length : 0
}

function nameOf(key: AttemptKey): string {
  return `${key.run_id}/${key.task_id}/${key.attempt}`
}
