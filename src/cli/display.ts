import { createLogUpdate } from 'log-update'
import type { FleetEvent } from '../index.ts'
import type { Board, BoardTask } from './board.ts'
import { renderMoment } from './event-line.ts'
import type { Moment } from './event-line.ts'
import { renderLive } from './live-view.ts'
import type { Output } from './output.ts'
import type { Terminal } from './terminal.ts'

/** Shows how runs go on. */
export interface Display {
  event(event: FleetEvent, moment: Moment | undefined): void
  /** A sentence for the person. */
  say(text: string): void
  /** Shows that the whole is paused, or stopping; empty for nothing. */
  mood(text: string): void
  /** Asks about a task until the function that it gives is called. */
  ask(task: BoardTask, hint: string): () => void
  close(): void
}

/** Events as NDJSON, lanes that are drawn over and over, or plain lines: as the output takes it. */
export function createDisplay(parts: { readonly terminal: Terminal; readonly output: Output; readonly board: Board }): Display {
  if (parts.output.json) return jsonDisplay(parts.output)
  return parts.terminal.live ? liveDisplay(parts) : plainDisplay(parts)
}

function jsonDisplay(output: Output): Display {
  return { event: (event) => output.row(event), say: output.note, mood() {}, ask: () => () => {}, close() {} }
}

interface Parts {
  readonly terminal: Terminal
  readonly output: Output
  readonly board: Board
}

function plainDisplay({ terminal, output, board }: Parts): Display {
  return {
    event(_, moment) {
      if (moment !== undefined) output.text(momentLine(moment, { terminal, output, board }, Infinity))
    },
    say: (text) => output.text(text),
    mood() {},
    ask: () => () => {},
    close() {},
  }
}

const refreshMs = 120

function liveDisplay(parts: Parts): Display {
  const { terminal, output, board } = parts
  const screen = createLogUpdate(terminal.stdout)
  const startedAt = terminal.now()
  let mood = ''
  let asked: { readonly task: BoardTask; readonly hint: string } | undefined
  let height = 0
  const draw = (): void => {
    const { paint } = output
    const size = { columns: terminal.columns(), rows: terminal.rows() }
    const frame = renderLive(board, {
      ...size,
      now: terminal.now(),
      startedAt,
      paint,
      mood,
      question: asked?.task,
      hint: asked?.hint ?? '',
    })
    const lines = frame.split('\n').length
    // A frame of another height is drawn anew: a patch would leave what is below the change where it was.
    if (lines !== height) screen.clear()
    height = lines
    screen(frame)
  }
  const stop = terminal.every(refreshMs, draw)

  return {
    event(_, moment) {
      if (moment === undefined) return
      screen.persist(momentLine(moment, parts, terminal.columns() - 1))
      draw()
    },
    say(text) {
      screen.persist(text)
      draw()
    },
    mood(text) {
      mood = text
      draw()
    },
    ask(task, hint) {
      const question = { task, hint }
      asked = question
      draw()
      return () => {
        if (asked === question) asked = undefined
      }
    },
    close() {
      stop()
      screen.clear()
      screen.done()
    },
  }
}

function momentLine(moment: Moment, { terminal, output, board }: Parts, width: number): string {
  const most = Math.min(32, Math.max(8, Math.floor(terminal.columns() / 3)))
  return renderMoment(moment, { paint: output.paint, width, subjectWidth: Math.min(most, board.idWidth) })
}
