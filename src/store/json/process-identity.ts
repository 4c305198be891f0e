import { readFileSync, readlinkSync } from 'node:fs'
import { hostname } from 'node:os'

/** Which process this is, among all processes of all machines that may see the folder. `null`: cannot be known here. */
export interface ProcessIdentity {
  readonly host: string
  /** Changes with every boot of the machine. */
  readonly boot: string | null
  /** Process ids mean nothing outside of their namespace. */
  readonly pidNamespace: string | null
  readonly pid: number
  /** When the process started, in the kernel's own counting: tells it from a later one with the same id. */
  readonly started: string | null
}

/** What the store asks of the machine that it runs on. */
export interface HostFacts {
  self(): ProcessIdentity
  /** False when the process is known to be gone; undefined when that cannot be known from here. */
  isAlive(process: ProcessIdentity): boolean | undefined
}

export const hostFacts: HostFacts = { self, isAlive: (process) => isAlive(process, self()) }

/** Judges another process from where `here` stands. */
export function isAlive(other: ProcessIdentity, here: ProcessIdentity): boolean | undefined {
  if (other.host !== here.host) return undefined
  if (other.boot !== here.boot) return other.boot === null || here.boot === null ? undefined : false
  if (other.pidNamespace !== here.pidNamespace) return undefined
  if (here.started === null) return answersSignals(other.pid)
  const stat = statOf(other.pid)
  return stat !== undefined && stat.state !== 'Z' && stat.state !== 'X' && stat.started === other.started
}

function self(): ProcessIdentity {
  return {
    host: hostname(),
    boot: attempt(() => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()) ?? null,
    pidNamespace: attempt(() => readlinkSync('/proc/self/ns/pid')) ?? null,
    pid: process.pid,
    started: statOf(process.pid)?.started ?? null,
  }
}

/** State and start time from `/proc/<pid>/stat`; the name before them may hold spaces and brackets. */
function statOf(pid: number): { readonly state: string; readonly started: string } | undefined {
  const text = attempt(() => readFileSync(`/proc/${pid}/stat`, 'utf8'))
  const fields = text?.slice(text.lastIndexOf(')') + 2).split(' ')
  const [state, started] = [fields?.[0], fields?.[19]]
  return state === undefined || started === undefined ? undefined : { state, started }
}

function answersSignals(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}

function attempt<T>(read: () => T): T | undefined {
  try {
    return read()
  } catch {
    return undefined
  }
}
