import { describe, expect, it } from 'vitest'
import { createBoard } from '../../../src/cli/board.ts'
import type { Board } from '../../../src/cli/board.ts'
import { renderLive } from '../../../src/cli/live-view.ts'
import { createPaint } from '../../../src/cli/paint.ts'
import { widthOf } from '../../../src/cli/text-width.ts'
import type { FleetEvent, TaskView } from '../../../src/index.ts'

const start = Date.parse('2026-01-01T00:00:00.000Z')

describe('the live view', () => {
  it('shows a lane per task that runs, what it does, and a bar with counts', () => {
    const board = boardOf('lint', 'test', 'docs')
    board.take(leased('lint', 1))
    board.take(leased('test', 2))
    board.tasks.get('r/test')!.doing = '14 passed'
    expect(show(board, 70)).toEqual([
      '',
      '  ⠙ lint         5.0s  local',
      '  ⠙ test #2      5.0s  local  14 passed',
      '  ─────────────────  0/3  5.0s elapsed  2 running  1 waiting',
    ])
  })

  it('no line is wider than the terminal, nor are there more lines than it has, whatever the names', () => {
    const names = Array.from({ length: 40 }, (_, index) => `${'検査🚀-very-long-'.repeat(4)}${index}`)
    const board = boardOf(...names)
    for (const name of names) board.take(leased(name, 3))
    for (const task of board.tasks.values()) task.doing = '日本語 '.repeat(40)
    for (const columns of [30, 40, 61, 80, 200]) {
      const lines = show(board, columns, 12)
      for (const line of lines) expect(widthOf(line)).toBeLessThan(columns)
      expect(lines.length).toBeLessThanOrEqual(12)
      expect(lines.some((line) => /and \d+ more/.test(line))).toBe(true)
    }
  })

  it('a failure shows in the bar however many tasks there are', () => {
    const board = boardOf(...Array.from({ length: 1000 }, (_, index) => `t${index}`))
    board.take(leased('t0', 1))
    board.take({ ...leased('t0', 1), event: 'task.terminal', payload: { status: 'failed' } } as FleetEvent)
    expect(show(board, 120).at(-1)).toMatch(/━─+ {2}1\/1000 {2}5\.0s elapsed {2}1 failed/)
  })
})

function boardOf(...ids: readonly string[]): Board {
  const board = createBoard(() => false)
  board.add(
    'r',
    ids.map((id): TaskView => ({ id, name: id, status: 'enqueued', attempt: 0, depends_on: [] })),
    '',
  )
  return board
}

function leased(task: string, attempt: number): FleetEvent {
  return {
    cursor: 'c',
    event: 'task.leased',
    run_id: 'r',
    task_id: task,
    attempt,
    worker_id: 'local',
    timestamp: new Date(start).toISOString(),
    payload: {},
  }
}

function show(board: Board, columns: number, rows = 24): string[] {
  const facts = {
    now: start + 5_000,
    startedAt: start,
    columns,
    rows,
    paint: createPaint(false),
    mood: '',
    question: undefined,
    hint: '',
  }
  return renderLive(board, facts).split('\n')
}
