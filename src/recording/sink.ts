import { recordingVersion } from './step.ts'
import type { Step } from './step.ts'

/** Where a recording goes, one line of JSON for each step. */
export interface RecordingSink {
  /** Another process begins to record; gives its number, from 1. */
  begin(): number
  write(step: Step): void
  /** So much waits to be written that what comes in should wait too. */
  readonly isFull: boolean
  /** Resolves when everything so far is written, or never will be. */
  flush(): Promise<void>
  /** The recording so far. Rejects when some of it could not be written. */
  bytes(): Promise<Uint8Array>
}

/** A recording in memory. */
export function memorySink(): RecordingSink {
  const lines: string[] = []
  let lives = 0
  return {
    begin() {
      lives += 1
      lines.push(openingLine(lives))
      return lives
    },
    write: (step) => void lines.push(lineOf(step)),
    isFull: false,
    flush: async () => undefined,
    bytes: async () => new TextEncoder().encode(lines.join('')),
  }
}

/** So many characters may wait for the disk. */
const mostWaiting = 4 * 1024 * 1024

/**
 * A recording in a file, whose path is known once the store is open. Written behind what happens, in order: a process that dies leaves a
 * prefix. A disk that refuses ends the recording, never the fleet.
 */
export function fileSink(parts: {
  append(path: string, text: string): Promise<void>
  read(path: string): Promise<Uint8Array>
}): RecordingSink & { open(path: string): void } {
  let path: string | undefined
  let waiting = openingLine(1)
  let writing: Promise<void> | undefined
  let broken: { readonly error: unknown } | undefined

  async function write(to: string): Promise<void> {
    while (waiting !== '' && broken === undefined) {
      const text = waiting
      waiting = ''
      await parts.append(to, text).catch((error: unknown) => void (broken = { error }))
    }
    writing = undefined
  }

  function start(): void {
    if (path !== undefined && waiting !== '' && broken === undefined) writing ??= write(path)
  }

  async function flush(): Promise<void> {
    start()
    while (writing !== undefined) await writing
  }

  return {
    begin: () => 1,
    open(at) {
      path = at
      start()
    },
    write(step) {
      if (broken !== undefined) return
      waiting += lineOf(step)
      start()
    },
    get isFull() {
      return waiting.length > mostWaiting && path !== undefined
    },
    flush,
    async bytes() {
      await flush()
      if (broken !== undefined) throw broken.error
      return path === undefined ? new TextEncoder().encode(waiting) : parts.read(path)
    },
  }
}

function openingLine(life: number): string {
  return `${JSON.stringify({ flotilla_recording: recordingVersion, life })}\n`
}

/** What is no JSON, in the arguments of a call that is refused for it, is written down as a text. */
function lineOf(step: Step): string {
  return `${JSON.stringify(step, (_, value: unknown) => (typeof value === 'bigint' ? String(value) : value))}\n`
}
