import { FleetError } from '../../protocol/errors.ts'
import type { Json } from '../../protocol/json.ts'
import type { AssignMessage, AttemptKey, AttemptMessage, CollectedMessage, StopMessage } from '../../protocol/wire.ts'
import type { Clock } from '../../ports/clock.ts'
import type { Environment } from '../../ports/environment.ts'
import { type CommandLaunch, leaseEntries, planLaunch, prepareFolder } from './command-launch.ts'
import type { Redactor } from '../../security/redactor.ts'
import { gatherLeavings } from './command-leavings.ts'
import { type CommandOutcome, finalFailure, hostFailure, outcomeOf } from './command-outcome.ts'
import { type CommandOutput, createCommandOutput } from './command-output.ts'
import { isFullDisk } from '../full-disk.ts'
import { killCarriers } from '../orphans.ts'
import type { Program } from '../program.ts'
import { createReportChannel, type ReportChannel } from '../report-channel.ts'
import type { SandboxedProgram } from './sandboxed-program.ts'

const firstRoomWaitMs = 100
const longestRoomWaitMs = 5_000

/** Bounds of a command, all of them options of the transport. */
export interface CommandLimits {
  /** How long a group that was asked to end may take before it is killed (HO3). */
  readonly termToKillMs: number
  /** How long processes that hold the output open may outlive the leader (HO3). */
  readonly drainLimitMs: number
  /** Characters of one line; what is over is cut and counted (HO4). */
  readonly lineLimit: number
  /** Characters of output that may lie unread before its middle is left out (HO4). */
  readonly unreadLimit: number
  /** Artifacts of one attempt (AR4). */
  readonly artifactLimit: number
}

/** A command that is to be started; its folder holds its input. */
export interface CommandOrder {
  readonly assign: AssignMessage
  readonly launch: CommandLaunch
  readonly signal: AbortSignal
  readonly output: CommandOutput
}

/** A command that leaves nothing in the attempt's folder until it is asked for. */
export type ConfinedProgram = Program & Pick<SandboxedProgram, 'takeLeavings' | 'release'>

/** Starts a command where it is to run: as a child process, in a sandbox, in a container; or says what it came to. */
export type CommandStart = (order: CommandOrder) => Promise<Program | ConfinedProgram | CommandOutcome>

/** What running a command takes. */
export interface CommandParts {
  readonly assign: AssignMessage
  readonly storeId: string
  readonly clock: Clock
  readonly environment: Environment
  readonly limits: CommandLimits
  readonly start: CommandStart
  readonly redactor: Redactor | undefined
  /** Weight of the messages that were sent and not read yet. */
  readonly unread: () => number
  readonly send: (message: AttemptMessage) => void
}

/** A command that runs for one attempt. */
export interface RunningCommand {
  /** Takes the fleet's answer to an artifact report. */
  collected(message: CollectedMessage): void
  /** A limit of a budget was crossed: TERM asks the command to end with what it has, exit code 0; KILL follows the grace (BU2). */
  handBack(graceMs: number): void
  /** Ends the command's whole tree: TERM, the grace, KILL (HO3). The attempt then ends with `stopped`. */
  stop(message: Pick<StopMessage, 'code' | 'reason' | 'grace_ms'>): void
  /**
   * Resolves when the command is over. Its last message, `result`, `failed` or `stopped`, was sent before, unless something of it
   * cannot be killed: then there is none, since each of them says that nothing runs any more.
   */
  readonly done: Promise<void>
}

/** Starts a task's command. Its messages are `accepted`, any number of `log` and `artifact`, and the last one. */
export function runCommand(parts: CommandParts): RunningCommand {
  const { assign, limits, send } = parts
  const key: AttemptKey = { run_id: assign.run_id, task_id: assign.task_id, attempt: assign.attempt }
  const controller = new AbortController()
  const { signal } = controller
  const output = createCommandOutput({
    ...limits,
    unread: parts.unread,
    send: (text) => send({ ...key, type: 'log', text }),
    redactor: parts.redactor,
  })
  const reports = createReportChannel((report, content) => send({ ...key, type: 'artifact', report, ...content }))
  let program: Program | ConfinedProgram | undefined
  let graceMs = limits.termToKillMs

  /** Undefined: something of the command cannot be killed. */
  const work = async (): Promise<CommandOutcome | undefined> => {
    const started = await startCommand(parts, signal, output)
    if ('type' in started) return started
    program = started
    send({ ...key, type: 'accepted', ...(program.record !== undefined && { process: program.record }) })
    if (signal.aborted) program.terminate(graceMs)
    const end = await program.ended
    output.end()
    const mayHaveEscaped = signal.aborted || !end.isDrained
    if (mayHaveEscaped && !(await killEscaped(parts))) return undefined
    if (end.isLeft === true) return undefined
    signal.throwIfAborted()
    if ('takeLeavings' in started) (await takeOut(parts, started)).forEach(output.note)
    return outcomeOf(end, {
      output: await collectLeavings(parts, { signal, reports, output }),
      summary: output.summary,
      recent: output.recent,
    })
  }

  const run = async () => {
    await Promise.resolve()
    const outcome = await work().catch(hostFailure)
    if (program !== undefined && 'release' in program) await program.release()
    if (outcome !== undefined) send(signal.aborted ? { ...key, type: 'stopped' } : { ...key, ...outcome })
  }

  return {
    collected: reports.collected,
    handBack: (grace) => program?.terminate(grace),
    stop({ code, reason, grace_ms }) {
      graceMs = Math.min(grace_ms, limits.termToKillMs)
      const why = new FleetError(code, reason)
      controller.abort(why)
      reports.end(why)
      program?.terminate(graceMs)
    },
    done: run(),
  }
}

async function startCommand(
  parts: CommandParts,
  signal: AbortSignal,
  output: CommandOutput,
): Promise<Program | ConfinedProgram | CommandOutcome> {
  const { assign, start } = parts
  const launch = planLaunch(assign, parts)
  if ('problem' in launch) return finalFailure(`cannot run the command: ${launch.problem}`)
  const unprepared = await prepareWithRoom(parts, signal)
  if (unprepared !== undefined) return finalFailure(`cannot run ${launch.program}: ${unprepared.problem}`)
  signal.throwIfAborted()
  return start({ assign, launch, signal, output })
}

/** What is left where it was confined goes where the leavings of other commands are. */
function takeOut({ assign, limits }: CommandParts, program: ConfinedProgram): Promise<readonly string[]> {
  // One more, so that the refusal of what is over is said by whoever collects.
  return program.takeLeavings(assign.folder, { files: limits.artifactLimit + 2 })
}

/**
 * Waits while the disk of the fleet is full: that is no failure of the task, so no retry is spent on it. The attempt is not accepted
 * meanwhile, so it may be released (LE8).
 */
async function prepareWithRoom(
  { assign, clock }: CommandParts,
  signal: AbortSignal,
): Promise<Awaited<ReturnType<typeof prepareFolder>>> {
  for (let waitMs = firstRoomWaitMs; ; waitMs = Math.min(waitMs * 2, longestRoomWaitMs)) {
    try {
      return await prepareFolder(assign)
    } catch (error) {
      if (!isFullDisk(error)) throw error
    }
    await clock.sleep(waitMs, { signal, keepAlive: true })
    signal.throwIfAborted()
  }
}

/** Reports what the command left, one artifact after the other, and gives its output. */
async function collectLeavings(
  { assign, limits }: CommandParts,
  { signal, reports, output }: { readonly signal: AbortSignal; readonly reports: ReportChannel; readonly output: CommandOutput },
): Promise<Json | undefined> {
  // What the output says is kept redacted, so the file does not stay beside it when there are secrets.
  const keepOutput = assign.secrets === undefined
  const leavings = await gatherLeavings(assign.folder, { limit: limits.artifactLimit, keepOutput })
  leavings.notes.forEach(output.note)
  for (const artifact of leavings.artifacts) {
    await reports.report(artifact).catch((refusal: unknown) => {
      signal.throwIfAborted()
      output.note(`[artifact ${artifact.path} refused: ${refusal instanceof Error ? refusal.message : String(refusal)}]\n`)
    })
  }
  return leavings.output
}

/** Processes that left the group still carry the lease of the attempt (LE6). */
function killEscaped({ assign, storeId, clock }: CommandParts): Promise<boolean> {
  const entries = Object.entries(leaseEntries(assign, storeId)).map(([name, value]) => `${name}=${value}`)
  return killCarriers({ entries, clock }).then(
    () => true,
    () => false,
  )
}
