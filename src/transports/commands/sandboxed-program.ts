import { constants } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import type { Readable, Writable } from 'node:stream'
import type { Clock } from '../../ports/clock.ts'
import { type ConfinedLaunch, descriptors, sandboxPlan, sayings } from '../../security/sandbox.ts'
import type { SandboxHost, SandboxPlan } from '../../security/sandbox.ts'
import { seccompFilter } from '../../security/seccomp/filter.ts'
import { leakedDescriptors } from './leaked-descriptors.ts'
import { createProcessBudget } from './process-budget.ts'
import { hasEnded, isGroupAlive, processFacts, signalGroup } from '../process-group.ts'
import { type LocalProgram, type Program, startProgram } from '../program.ts'
import { takeLeavings, type TakingLimits } from './sandbox-leavings.ts'

/** A program that runs in a sandbox. Its process record is the sandbox's, which ends with all in it. */
export interface SandboxedProgram extends Program {
  /** Takes what it left out of the sandbox's folder, once it has ended; gives a line for the log for what is left out. */
  takeLeavings(folder: string, limits: Pick<TakingLimits, 'files'>): Promise<readonly string[]>
  /** Lets go of the sandbox's folder, and of what lies in it. */
  release(): Promise<void>
}

/** Why there is no program: it does not exist in the sandbox, or the sandbox could not be built. */
export type NotStarted = { readonly missing: true } | { readonly unbuilt: string }

/** A sandbox that does not come up in this time is given up. */
const startLimitMs = 10_000
/** How long the end of the first process inside may take after its parent's; the kernel kills it at once. */
const endLimitMs = 2_000

/** Everything that a start stands on. */
export interface SandboxStart {
  readonly host: SandboxHost
  readonly clock: Clock
  readonly drainLimitMs: number
  readonly signal: AbortSignal
  readonly stdout: (bytes: Uint8Array) => void
  readonly stderr: (bytes: Uint8Array) => void
}

/**
 * Starts a program in a sandbox of its own. It begins only once this process holds the sandbox's folder open, so that what it leaves there can be
 * had after the sandbox is gone. TERM reaches the processes inside; KILL ends the sandbox, and the kernel everything in it.
 */
export async function startSandboxed(launch: ConfinedLaunch, start: SandboxStart): Promise<SandboxedProgram | NotStarted> {
  const { host, clock } = start
  const plan = sandboxPlan(launch, host)
  const budget =
    host.processGroups === undefined
      ? undefined
      : await createProcessBudget({ groups: host.processGroups, processes: launch.limits.processes, shell: host.shell, clock })
  let inside: { readonly pid: number; readonly started: string } | undefined
  const whole = [plan.program, ...plan.args]
  const [program = plan.program, ...args] = budget?.counted(whole) ?? whole
  const asked = () => (inside !== undefined && isGroupAlive(inside.pid) ? inside.pid : undefined)
  const started = await startWithPipes({ program, args, cwd: '/', environment: plan.environment }, start, asked).catch(
    async (error: unknown) => {
      await budget?.close()
      throw error
    },
  )
  const ended = started.ended.then(async (end) => {
    const gone = inside === undefined || (await untilEnded(inside, clock))
    await budget?.close()
    return { ...end, isDrained: end.isDrained && gone }
  })
  const giveUp = async (why: NotStarted): Promise<NotStarted> => {
    signalGroup(started.record.group, 'SIGKILL')
    await ended
    return why
  }

  hand(started, plan, host)
  const facts = textOf(started.pipes[descriptors.facts], (text) => text.includes('}'))
  const said = await firstSaying(started, start)
  if (said === sayings.missing) return giveUp({ missing: true })
  if (said !== sayings.ready) return giveUp({ unbuilt: said })
  let folder: FileHandle
  try {
    const { 'child-pid': pid } = JSON.parse(await facts) as { readonly 'child-pid': number }
    inside = { pid, started: processFacts(pid)?.started ?? '' }
    folder = await open(
      `/proc/${pid}/root${launch.view.folder}`,
      constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW,
    )
  } catch (error) {
    return giveUp({ unbuilt: `its folder cannot be held: ${String(error)}` })
  }
  writable(started, descriptors.go).end('go\n')

  return {
    ...started,
    ended,
    takeLeavings: (to, { files }) => takeLeavings(`/proc/self/fd/${folder.fd}`, to, { files, bytes: launch.limits.folderBytes }),
    release: () => folder.close(),
  }
}

/** What this process inherited without being closed at a start is covered with nothing, so that the sandbox does not inherit it too. */
async function startWithPipes(
  launch: Parameters<typeof startProgram>[0],
  start: SandboxStart,
  asked: () => number | undefined,
): Promise<LocalProgram> {
  const leaked = await leakedDescriptors()
  const nothing = await open('/dev/null', constants.O_RDWR)
  const own = Object.values(descriptors)
  const length = Math.max(...own, ...leaked) + 1
  const beyond = Array.from({ length: length - 3 }, (_, index) => {
    if (own.some((descriptor) => descriptor === index + 3)) return 'pipe'
    return leaked.includes(index + 3) ? nothing.fd : 'ignore'
  })
  try {
    return await startProgram(launch, { ...start, beyond, asked })
  } finally {
    await nothing.close()
  }
}

/** Hands over what bubblewrap reads from descriptors. */
function hand(started: Program, plan: SandboxPlan, host: SandboxHost): void {
  const nul = '\0'
  writable(started, descriptors.options).end(plan.options.map((option) => option + nul).join(''))
  writable(started, descriptors.filter).end(seccompFilter(host.architecture))
  writable(started, descriptors.names).end(plan.names)
  writable(started, descriptors.go).on('error', () => {})
}

/** What the sandbox says first, or why it says nothing. */
async function firstSaying(started: Program, { clock, signal }: SandboxStart): Promise<string> {
  const settled = new AbortController()
  const late = clock
    .sleep(startLimitMs, { signal: AbortSignal.any([settled.signal, signal]) })
    .then(() => (signal.aborted ? 'it was stopped' : `it did not come up within ${startLimitMs / 1000} s`))
  const said = textOf(started.pipes[descriptors.said], (text) => text.includes('\n')).then(
    (text) => text.trim() || 'bubblewrap could not build it',
  )
  try {
    return await Promise.race([said, late])
  } finally {
    settled.abort()
  }
}

/** What comes through a pipe until it is enough, or the pipe ends. */
function textOf(pipe: Program['pipes'][number], isEnough: (text: string) => boolean): Promise<string> {
  return new Promise((resolve) => {
    let text = ''
    const readable = pipe as Readable
    const done = () => resolve(text)
    readable
      .on('data', (bytes: Buffer) => {
        text += bytes.toString()
        if (isEnough(text)) done()
      })
      .on('end', done)
      .on('close', done)
      .on('error', done)
  })
}

function writable(started: Program, descriptor: number): Writable {
  // A pipe that the sandbox is gone from: its end tells why.
  return (started.pipes[descriptor] as Writable).on('error', () => {})
}

async function untilEnded(inside: Parameters<typeof hasEnded>[0], clock: Clock): Promise<boolean> {
  for (let waitedMs = 0; waitedMs < endLimitMs; waitedMs += 5) {
    if (hasEnded(inside)) return true
    signalGroup(inside.pid, 'SIGKILL')
    await clock.sleep(5)
  }
  return hasEnded(inside)
}
