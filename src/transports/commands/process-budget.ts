import { mkdtemp, rmdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Clock } from '../../ports/clock.ts'

/** A bound for the number of processes of one sandbox. */
export interface ProcessBudget {
  /** Rewrites a command so that it, and all that it starts, counts. */
  counted(command: readonly string[]): readonly string[]
  /** Forgets the group; all that counted is gone. */
  close(): Promise<void>
}

/** bubblewrap itself is two processes. */
const ownProcesses = 2

/** A group can be removed once the last process in it is reaped, which the system does soon after its end. */
const removals = 200
const pauseMs = 10

/** Makes a control group for at most so many processes below a folder of them. */
export async function createProcessBudget(options: {
  readonly groups: string
  readonly processes: number
  readonly shell: string
  readonly clock: Clock
}): Promise<ProcessBudget> {
  const group = await mkdtemp(join(options.groups, `flotilla-${process.pid}-`))
  await writeFile(join(group, 'pids.max'), String(options.processes + ownProcesses))
  return {
    counted: (command) => joinGroup(options.shell, group, command),
    close: () => remove(group, options.clock),
  }
}

/** A group that stays is empty and bounds nobody; the next fleet that looks for sandboxes here removes it. */
async function remove(group: string, clock: Clock): Promise<void> {
  for (let tried = 0; tried < removals; tried += 1) {
    const isRemoved = await rmdir(group).then(
      () => true,
      () => false,
    )
    if (isRemoved) return
    await clock.sleep(pauseMs)
  }
}

/** The command, started by a shell that first puts itself into the group. */
export function joinGroup(shell: string, group: string, command: readonly string[]): readonly string[] {
  return [shell, '-c', 'echo 0 > "$0/cgroup.procs" && exec "$@"', group, ...command]
}
