import { expect, it } from 'vitest'
import type { BoardTask } from '../../../src/cli/board.ts'
import type { Display } from '../../../src/cli/display.ts'
import { absentJudge, presentJudge } from '../../../src/cli/judge.ts'
import type { Terminal } from '../../../src/cli/terminal.ts'
import type { Fleet } from '../../../src/index.ts'

it('VE5 a person is asked about one task at a time, and an answer settles it in their name', async () => {
  const { judge, press, asked, settled } = atTerminal()
  judge.offer(task('a'))
  judge.offer(task('b'))
  expect(asked).toEqual(['a'])
  press('x')
  expect(asked).toEqual(['a'])
  press('P')
  expect(asked).toEqual(['a', 'b'])
  press('f')
  await Promise.resolve()
  expect(settled).toEqual([
    ['a', { result: 'pass', by: 'ada' }],
    ['b', { result: 'fail', by: 'ada' }],
  ])
})

it('VE5 what is put off is waited for no more, until it is offered anew', () => {
  const { judge, press } = atTerminal()
  let calls = 0
  judge.onLater(() => (calls += 1))
  const [a, b] = [task('a'), task('b')]
  judge.offer(a)
  expect(judge.waitsFor([a])).toBe(true)
  press('l')
  expect(calls).toBe(1)
  expect(judge.waitsFor([a])).toBe(false)
  expect(judge.waitsFor([a, b])).toBe(true)
  judge.offer(a)
  expect(judge.waitsFor([a])).toBe(true)
})

it('ST10 a question is taken back when somebody else gave the verdict', () => {
  const { judge, press, asked, open, settled } = atTerminal()
  const [a, b] = [task('a'), task('b')]
  judge.offer(a)
  judge.offer(b)
  judge.withdraw(a)
  expect(asked).toEqual(['a', 'b'])
  judge.withdraw(b)
  expect(open()).toBe(0)
  press('p')
  expect(settled).toEqual([])
})

it('CO8 nobody is asked once the command line was told to end', () => {
  const { judge, press, asked, open, stop } = atTerminal()
  judge.offer(task('a'))
  judge.offer(task('b'))
  stop()
  expect(open()).toBe(0)
  press('p')
  expect(asked).toEqual(['a'])
})

it('VE5 without a person the run waits for verdicts from elsewhere only when told to', () => {
  expect(absentJudge({ waits: false }).waitsFor([task('a')])).toBe(false)
  expect(absentJudge({ waits: true }).waitsFor([task('a')])).toBe(true)
})

function atTerminal() {
  const asked: string[] = []
  const settled: unknown[] = []
  const listeners = new Set<(key: string) => void>()
  const stopped = new AbortController()
  const listen = (press: (key: string) => void) => {
    listeners.add(press)
    return () => void listeners.delete(press)
  }
  const display = { ask: ({ id }: BoardTask) => (asked.push(id), () => {}) } as unknown as Display
  const run = { settle: async (...args: unknown[]) => void settled.push(args) }
  const judge = presentJudge({
    terminal: { keys: listen } as unknown as Terminal,
    display,
    fleet: { run: async () => run } as unknown as Fleet,
    by: 'ada',
    hintOf: () => '',
    signal: stopped.signal,
  })
  return {
    judge,
    asked,
    settled,
    press: (key: string) => [...listeners].forEach((hear) => hear(key)),
    open: () => listeners.size,
    stop: () => stopped.abort(),
  }
}

function task(id: string): BoardTask {
  return { run: 'r', id } as BoardTask
}
