import { readdir, readFile } from 'node:fs/promises'
import { FleetError } from '../protocol/errors.ts'
import type { ProcessRecord } from '../protocol/wire.ts'
import type { Clock } from '../ports/clock.ts'
import { processFacts, signalGroup, signalProcess } from './process-group.ts'

/** How often a scan is repeated, and the pause between two: five seconds in all. */
const scans = 100
const pauseMs = 50

/**
 * Ends what an earlier fleet of a store left running, and resolves when it is gone (LE6). On Linux these are the processes that carry the store's
 * id in their environment, with their whole groups; elsewhere the recorded groups whose leader is still the process that was
 * recorded. This process and its ancestors are spared. Rejects `handler_unresponsive` when something does not die.
 */
export async function reapOrphans(options: {
  readonly storeId: string
  readonly recorded: readonly ProcessRecord[]
  readonly clock: Clock
}): Promise<void> {
  if (process.platform === 'linux') return killCarriers({ entries: [`FLOTILLA_STORE=${options.storeId}`], clock: options.clock })
  return killRecorded(options.recorded)
}

/** Kills the groups of every process whose environment has all of these entries (`NAME=value`), until a scan finds none. Elsewhere than on Linux it cannot look, and does nothing. */
export async function killCarriers({
  entries,
  clock,
}: {
  readonly entries: readonly string[]
  readonly clock: Clock
}): Promise<void> {
  if (process.platform !== 'linux') return
  const spared = lineage()
  // A process may fork between being found and being killed: only a scan that finds nothing proves that nothing is left.
  for (let scan = 0; scan < scans; scan += 1) {
    const found = await carriers(entries, spared.pids)
    if (found.length === 0) return
    for (const { pid, group } of found) {
      if (!spared.groups.has(group)) signalGroup(group, 'SIGKILL')
      signalProcess(pid, 'SIGKILL')
    }
    await clock.sleep(pauseMs)
  }
  const left = (await carriers(entries, spared.pids)).map((carrier) => carrier.pid)
  if (left.length === 0) return
  throw new FleetError(
    'handler_unresponsive',
    `Processes ${left.join(', ')} of an earlier attempt do not die. End them by hand.`,
    {
      details: { pids: left },
    },
  )
}

/** Kills recorded groups whose leader is still the process that was recorded, sparing this process and its ancestors. */
export async function killRecorded(recorded: readonly ProcessRecord[]): Promise<void> {
  const spared = lineage()
  for (const { group, started } of recorded) {
    if (started === '' || spared.groups.has(group)) continue
    const leader = processFacts(group)
    if (leader?.started === started) signalGroup(group, 'SIGKILL')
  }
}

async function carriers(entries: readonly string[], spared: ReadonlySet<number>) {
  const names = await readdir('/proc')
  const pids = names.map(Number).filter((pid) => Number.isInteger(pid) && !spared.has(pid))
  const found: { readonly pid: number; readonly group: number }[] = []
  for (const pid of pids) {
    // Unreadable: the process is gone, or belongs to someone else and is none of ours. A zombie's environment is empty.
    const environment = await readFile(`/proc/${pid}/environ`, 'utf8').catch(() => '')
    if (environment === '') continue
    const present = new Set(environment.split('\0'))
    if (!entries.every((entry) => present.has(entry))) continue
    const stat = processFacts(pid)
    if (stat !== undefined) found.push({ pid, group: stat.group })
  }
  return found
}

/** This process and its ancestors, and their groups. */
function lineage() {
  const pids = new Set<number>()
  const groups = new Set<number>()
  for (let pid = process.pid; pid > 0 && !pids.has(pid);) {
    const stat = processFacts(pid)
    pids.add(pid)
    if (stat === undefined) break
    groups.add(stat.group)
    pid = stat.parent
  }
  return { pids, groups }
}
