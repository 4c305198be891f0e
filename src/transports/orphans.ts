import { readdirSync, readFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
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

/** A process that everything looked for came after, and the monotonic moment at which it was started. */
export interface ScanSince {
  readonly pid: number
  readonly at: number
}

/**
 * Kills the groups of every process whose environment has all of these entries (`NAME=value`), until a scan finds none. With `since`, what is
 * looked for was started by that process, which was just ended: then most processes need not be looked at. Elsewhere than on Linux it cannot
 * look, and does nothing.
 */
export async function killCarriers({
  entries,
  clock,
  since,
}: {
  readonly entries: readonly string[]
  readonly clock: Clock
  readonly since?: ScanSince
}): Promise<void> {
  if (process.platform !== 'linux') return
  const isRecent = since !== undefined && clock.monotonic() - since.at < recentMs
  const after = isRecent ? lowestPid(since.pid) : 0
  // Nearly always nothing is younger: then nothing has to be waited for.
  if (after > 0 && youngerThan(after).length === 0) return
  const spared = lineage()
  // A process may fork between being found and being killed: only a scan that finds nothing proves that nothing is left.
  for (let scan = 0; scan < scans; scan += 1) {
    const found = await carriers(entries, spared.pids, after)
    if (found.length === 0) return
    for (const { pid, group } of found) {
      if (!spared.groups.has(group)) signalGroup(group, 'SIGKILL')
      signalProcess(pid, 'SIGKILL')
    }
    await clock.sleep(pauseMs)
  }
  const left = (await carriers(entries, spared.pids, after)).map((carrier) => carrier.pid)
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

/** Within this time the system does not give out all its process ids. */
const recentMs = 5_000

/** Ids are given out in turn: what came after a process has a greater one, unless the last id that was given is less, so that they began anew. */
function lowestPid(pid: number): number {
  const last = Number(readFileSync('/proc/loadavg', 'utf8').trim().split(' ').at(-1))
  return last >= pid ? pid : 0
}

function youngerThan(pid: number): number[] {
  return readdirSync('/proc')
    .map(Number)
    .filter((one) => one > pid)
}

async function carriers(entries: readonly string[], spared: ReadonlySet<number>, after: number) {
  const found: { readonly pid: number; readonly group: number }[] = []
  for (const pid of youngerThan(after)) {
    if (spared.has(pid)) continue
    // Reading takes microseconds, and waiting for it many times that: only where all processes are looked at, others get their turn between.
    const environment = after > 0 ? environmentNow(pid) : await environmentSoon(pid)
    if (environment === '') continue
    const present = new Set(environment.split('\0'))
    if (!entries.every((entry) => present.has(entry))) continue
    const stat = processFacts(pid)
    if (stat !== undefined) found.push({ pid, group: stat.group })
  }
  return found
}

// Unreadable: the process is gone, or belongs to someone else and is none of ours. A zombie's environment is empty.

function environmentNow(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'utf8')
  } catch {
    return ''
  }
}

function environmentSoon(pid: number): Promise<string> {
  return readFile(`/proc/${pid}/environ`, 'utf8').catch(() => '')
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
