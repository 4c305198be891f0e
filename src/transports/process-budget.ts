import { mkdtemp, rmdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

/** A bound for the number of processes of one sandbox. */
export interface ProcessBudget {
  /** Rewrites a command so that it, and all that it starts, counts. */
  counted(command: readonly string[]): readonly string[]
  /** Forgets the group; all that counted is gone. */
  close(): Promise<void>
}

/** bubblewrap itself is two processes. */
const ownProcesses = 2

/** Makes a control group for at most so many processes below a folder of them. */
export async function createProcessBudget(options: {
  readonly groups: string
  readonly processes: number
  readonly shell: string
}): Promise<ProcessBudget> {
  const group = await mkdtemp(join(options.groups, `flotilla-${process.pid}-`))
  await writeFile(join(group, 'pids.max'), String(options.processes + ownProcesses))
  return {
    counted: (command) => joinGroup(options.shell, group, command),
    // It can only be removed once the last process is reaped; a group that stays is empty, and bounds nobody.
    close: () => rmdir(group).catch(() => undefined),
  }
}

/** The command, started by a shell that first puts itself into the group. */
export function joinGroup(shell: string, group: string, command: readonly string[]): readonly string[] {
  return [shell, '-c', 'echo 0 > "$0/cgroup.procs" && exec "$@"', group, ...command]
}
