import { createPaint } from './paint.ts'
import type { Paint } from './paint.ts'
import type { Terminal } from './terminal.ts'

/** Where a verb says what it found: lines for a person, or NDJSON for a program. */
export interface Output {
  readonly json: boolean
  readonly paint: Paint
  /** Lines for a person; nothing with `--json`. */
  text(...lines: readonly string[]): void
  /** One line of JSON; nothing without `--json`. */
  row(value: unknown): void
  /** The last line of JSON (`{ "summary": … }`); nothing without `--json`. */
  summary(value: Readonly<Record<string, unknown>>): void
  /** A remark for a person beside the output, on standard error. */
  note(text: string): void
}

export function createOutput(terminal: Terminal, json: boolean): Output {
  const row = (value: unknown): void => {
    if (json) terminal.out(`${JSON.stringify(value)}\n`)
  }
  return {
    json,
    paint: createPaint(terminal.colour && !json),
    text(...lines) {
      if (!json) for (const line of lines) terminal.out(`${line}\n`)
    },
    row,
    summary: (value) => row({ summary: value }),
    note: (text) => terminal.err(`${text}\n`),
  }
}
