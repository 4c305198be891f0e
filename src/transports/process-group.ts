import { readFileSync } from 'node:fs'
import { childProcess } from './child-process.ts'

/** Sends a signal to every process of a group. Nothing happens when the group is empty, or not ours. */
export function signalGroup(group: number, signal: NodeJS.Signals): void {
  outcomeOrNothing(() => process.kill(-group, signal))
}

/** Sends a signal to one process. Nothing happens when it is gone, or not ours. */
export function signalProcess(pid: number, signal: NodeJS.Signals): void {
  outcomeOrNothing(() => process.kill(pid, signal))
}

/** Whether a group has any process left. */
export function isGroupAlive(group: number): boolean {
  return outcomeOrNothing(() => process.kill(-group, 0)) ?? false
}

/** What the platform says of a process. */
export interface ProcessFacts {
  readonly parent: number
  readonly group: number
  /**
   * When it started, as the platform counts it: on Linux in ticks since boot, elsewhere as `ps` prints it. A pid and its start time
   * together name a process, though pids are used again.
   */
  readonly started: string
}

/**
 * The facts of a process, or undefined when it is gone, or nothing can be known here. Synchronous, so that a child can be asked for
 * before its exit is noticed and its pid given away.
 */
export function processFacts(pid: number): ProcessFacts | undefined {
  return process.platform === 'linux' ? factsFromProc(pid) : factsFromPs(pid)
}

function factsFromProc(pid: number): ProcessFacts | undefined {
  const stat = outcomeOrNothing(() => readFileSync(`/proc/${pid}/stat`, 'utf8'))
  // The second field is the program's name in parentheses, which may itself hold spaces and parentheses; the third is the state.
  const fields = stat?.slice(stat.lastIndexOf(')') + 2).split(' ')
  return fields && { parent: Number(fields[1]), group: Number(fields[2]), started: fields[19] ?? '' }
}

/** Whether a process that started then has ended, on Linux. A zombie has: only its exit is not yet taken note of. */
export function hasEnded({ pid, started }: { readonly pid: number; readonly started: string }): boolean {
  const stat = outcomeOrNothing(() => readFileSync(`/proc/${pid}/stat`, 'utf8'))
  const [state = 'X', ...fields] = stat?.slice(stat.lastIndexOf(')') + 2).split(' ') ?? []
  return state === 'Z' || state === 'X' || fields[18] !== started
}

/** Reads the same facts through `ps`, which every Unix has. */
export function factsFromPs(pid: number): ProcessFacts | undefined {
  const { status, stdout } = childProcess().spawnSync('ps', ['-o', 'ppid=,pgid=,lstart=', '-p', String(pid)], {
    encoding: 'utf8',
  })
  if (status !== 0) return undefined
  const [parent, group, ...started] = stdout.trim().split(/\s+/)
  return { parent: Number(parent), group: Number(group), started: started.join(' ') }
}

/** Undefined when the process is gone, or belongs to someone else. */
function outcomeOrNothing<Outcome>(act: () => Outcome): Outcome | undefined {
  try {
    return act()
  } catch {
    return undefined
  }
}
