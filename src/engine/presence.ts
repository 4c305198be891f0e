import type { AttemptPlace } from '../ports/collector.ts'
import type { LogRedaction } from './redacted-report.ts'

/** What is known of a live or lingering attempt and never stored (LE3). Instants are of the lease clock, which skips hold-ups (LE5). */
export interface AttemptPresence {
  readonly run: string
  readonly task: string
  readonly attempt: number
  readonly worker: string
  /** When the lease ends unless something is heard. */
  deadline: number
  /** Epoch milliseconds of the last message. */
  lastHeardAt: number
  /** Lease clock of the last message that was more than a heartbeat. */
  lastProgress: number
  /** Set once the attempt was handed to its worker. */
  place: AttemptPlace | undefined
  /** Tool calls that were counted (BU1); most attempts make none. */
  calls: Set<string> | undefined
  /** The attempt wrote to its log. */
  logged: boolean
  /** Its log on the way through the redactor, once there are secrets. */
  redaction: LogRedaction | undefined
  /** Set when it was handed secrets: says that they are no longer in use. */
  forgetSecrets: (() => void) | undefined
  /** Its lease is gone; the slot stays taken until its end is confirmed (WO3). */
  lingering: boolean
  /** Each takes back a deadline of the attempt. */
  readonly watches: Partial<Record<AttemptWatchName, () => void>>
}

/** What an attempt is watched for: the end of its lease, a standstill, its time limit, the seconds of its budget or its grace (LE3, LE7, BU2). */
export type AttemptWatchName = 'lease' | 'stall' | 'timeout' | 'budget'

/** The attempts that are alive somewhere, by (run, task, attempt). */
export interface Presence {
  get(run: string, task: string, attempt: number): AttemptPresence | undefined
  begin(
    attempt: Omit<AttemptPresence, 'calls' | 'logged' | 'redaction' | 'forgetSecrets' | 'lingering' | 'place' | 'watches'>,
  ): AttemptPresence
  end(run: string, task: string, attempt: number): AttemptPresence | undefined
  /** Attempts of one run. */
  ofRun(run: string): number
  /** Attempts of one worker that linger. */
  lingering(worker: string): number
  linger(attempt: AttemptPresence, lingers?: boolean): void
  /** Hears of attempts that begin to linger, and of those that do so no more. */
  onLinger(listener: (attempt: AttemptPresence, lingers: boolean) => void): void
  all(): IterableIterator<AttemptPresence>
  /** Calls back at each end; gives a function that takes it back. */
  onEnd(listener: (attempt: AttemptPresence) => void): () => void
  readonly size: number
}

/** The attempts of one run, by task: mostly one, and others that linger. Keys made of all three names took longer to make than to find. */
interface OfRun {
  count: number
  readonly byTask: Map<string, AttemptPresence[]>
}

export function createPresence(): Presence {
  const attempts = new Set<AttemptPresence>()
  const runs = new Map<string, OfRun>()
  const lingering = new Map<string, number>()
  const endListeners = new Set<(attempt: AttemptPresence) => void>()
  const lingerListeners = new Set<(attempt: AttemptPresence, lingers: boolean) => void>()

  function linger(attempt: AttemptPresence, lingers = true): void {
    if (attempt.lingering === lingers) return
    attempt.lingering = lingers
    lingering.set(attempt.worker, (lingering.get(attempt.worker) ?? 0) + (lingers ? 1 : -1))
    for (const listener of lingerListeners) listener(attempt, lingers)
  }

  function get(run: string, task: string, attempt: number): AttemptPresence | undefined {
    return runs
      .get(run)
      ?.byTask.get(task)
      ?.find((one) => one.attempt === attempt)
  }

  function add(attempt: AttemptPresence): void {
    const { run, task } = attempt
    const before = get(run, task, attempt.attempt)
    if (before !== undefined) remove(before)
    attempts.add(attempt)
    let ofRun = runs.get(run)
    if (ofRun === undefined) runs.set(run, (ofRun = { count: 0, byTask: new Map() }))
    ofRun.count += 1
    const ofTask = ofRun.byTask.get(task)
    if (ofTask === undefined) ofRun.byTask.set(task, [attempt])
    else ofTask.push(attempt)
  }

  function remove(attempt: AttemptPresence): void {
    const { run, task } = attempt
    attempts.delete(attempt)
    const ofRun = runs.get(run)
    const left = ofRun?.byTask.get(task)?.filter((one) => one !== attempt) ?? []
    if (left.length > 0) ofRun?.byTask.set(task, left)
    else ofRun?.byTask.delete(task)
    if (ofRun !== undefined && (ofRun.count -= 1) === 0) runs.delete(run)
  }

  return {
    get,
    begin(facts) {
      const { run, task, attempt: number, worker, deadline, lastHeardAt, lastProgress } = facts
      const attempt: AttemptPresence = {
        run,
        task,
        attempt: number,
        worker,
        deadline,
        lastHeardAt,
        lastProgress,
        place: undefined,
        calls: undefined,
        logged: false,
        redaction: undefined,
        forgetSecrets: undefined,
        lingering: false,
        watches: { lease: undefined, stall: undefined, timeout: undefined, budget: undefined },
      }
      add(attempt)
      return attempt
    },
    end(run, task, number) {
      const found = get(run, task, number)
      if (found === undefined) return undefined
      remove(found)
      const { lease, stall, timeout, budget } = found.watches
      lease?.()
      stall?.()
      timeout?.()
      budget?.()
      found.forgetSecrets?.()
      linger(found, false)
      for (const listener of endListeners) listener(found)
      return found
    },
    ofRun: (run) => runs.get(run)?.count ?? 0,
    lingering: (worker) => lingering.get(worker) ?? 0,
    linger,
    onLinger(listener) {
      lingerListeners.add(listener)
    },
    all: () => attempts.values(),
    onEnd(listener) {
      endListeners.add(listener)
      return () => endListeners.delete(listener)
    },
    get size() {
      return attempts.size
    },
  }
}
