import type { FleetScore } from '../../protocol/receipt.ts'
import { scoreFromLine } from '../../protocol/score-line.ts'
import type { Redactor } from '../../security/redactor.ts'
import { redacted } from './command-output.ts'
import { createLineReader } from '../line-reader.ts'

/** What a check writes, bounded. */
export interface CheckOutput {
  stdout(bytes: Uint8Array): void
  stderr(bytes: Uint8Array): void
  /** Both streams have ended. */
  end(): void
  /** Both streams, line by line, without the middle of what is much. */
  readonly text: string
  /** The last score on standard output (VE3). */
  readonly score: FleetScore | undefined
}

/** Characters of one line; what is over is cut. */
const lineLimit = 1024 * 1024
/** Characters of the beginning, and of the end, that are kept. */
const keptChars = 32 * 1024

/** Reads both streams of a check. Secrets are covered before anything is cut (SE5). */
export function createCheckOutput(redactor: Redactor | undefined): CheckOutput {
  let beginning = ''
  let end = ''
  let leftOut = 0
  let score: FleetScore | undefined

  const keep = (lines: string) => {
    const room = keptChars - beginning.length
    beginning += lines.slice(0, room)
    end += lines.slice(Math.max(0, room))
    if (end.length <= 2 * keptChars) return
    leftOut += end.length - keptChars
    end = end.slice(-keptChars)
  }
  const look = (lines: string) => {
    if (lines.includes('"value"')) for (const line of lines.split('\n')) score = scoreFromLine(line) ?? score
  }
  const stdout = redacted(
    createLineReader({
      limit: lineLimit,
      emit(lines) {
        look(lines)
        keep(lines)
      },
    }),
    redactor,
  )
  const stderr = redacted(createLineReader({ limit: lineLimit, emit: keep }), redactor)
  return {
    stdout: stdout.write,
    stderr: stderr.write,
    end() {
      stdout.end()
      stderr.end()
    },
    get text() {
      return leftOut === 0 ? beginning + end : `${beginning}\n[${leftOut} characters left out]\n${end}`
    },
    get score() {
      return score
    },
  }
}
