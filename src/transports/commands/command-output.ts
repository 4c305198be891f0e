import type { Redactor } from '../../security/redactor.ts'
import { createLineReader, type LineReader } from '../line-reader.ts'
import { createOutputLog } from '../output-log.ts'

/** What a command writes, on its way into the log. */
export interface CommandOutput {
  stdout(bytes: Uint8Array): void
  stderr(bytes: Uint8Array): void
  /** Both streams have ended. */
  end(): void
  /** Adds a line of the transport's own. */
  note(text: string): void
  /** The last line of standard output that is not blank, cut; undefined when there is none. */
  readonly summary: string | undefined
  /** The end of all output. */
  readonly recent: string
}

const longestSummary = 1000

/** Reads both streams of a command line by line into one log. */
export function createCommandOutput(options: {
  readonly lineLimit: number
  readonly unreadLimit: number
  readonly unread: () => number
  readonly send: (text: string) => void
  /** Covers secrets in each stream before anything of it is cut, or mixed with the other. Default: nothing is covered here. */
  readonly redactor?: Redactor | undefined
}): CommandOutput {
  const { lineLimit, unreadLimit, unread, send, redactor } = options
  const log = createOutputLog({ limit: unreadLimit, unread, send })
  let summary: string | undefined
  const stdout = createLineReader({
    limit: lineLimit,
    emit(lines) {
      const written = lines.trimEnd()
      if (written !== '') summary = written.slice(written.lastIndexOf('\n') + 1).slice(0, longestSummary)
      log.write(lines)
    },
  })
  const stderr = createLineReader({ limit: lineLimit, emit: log.write })
  const streams = [redacted(stdout, redactor), redacted(stderr, redactor)] as const
  return {
    stdout: streams[0].write,
    stderr: streams[1].write,
    end() {
      for (const stream of streams) stream.end()
      log.flush()
    },
    note: send,
    get summary() {
      return summary
    },
    get recent() {
      return log.recent
    },
  }
}

/** A reader that gets its bytes with the secrets in them covered. */
export function redacted(reader: LineReader, redactor: Redactor | undefined): LineReader {
  if (redactor === undefined) return reader
  const stream = redactor.stream()
  return {
    write: (bytes) => reader.write(stream.write(bytes)),
    end() {
      reader.write(stream.end())
      reader.end()
    },
  }
}
