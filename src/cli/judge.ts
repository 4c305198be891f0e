import { FleetError } from '../index.ts'
import type { Fleet } from '../index.ts'
import type { BoardTask } from './board.ts'
import type { Display } from './display.ts'
import type { Terminal } from './terminal.ts'
import type { Judge } from './watch-runs.ts'

/** Waits for no verdict, or for all of them, given by other processes. */
export function absentJudge({ waits }: { readonly waits: boolean }): Judge {
  return { offer() {}, withdraw() {}, waitsFor: () => waits, onLater() {} }
}

/** Asks the person at the terminal for verdicts, one at a time, and settles the tasks. */
export function presentJudge(parts: {
  readonly terminal: Terminal
  readonly display: Display
  readonly fleet: Fleet
  readonly by: string
  readonly hintOf: (task: BoardTask) => string
  readonly signal: AbortSignal
}): Judge {
  const { terminal, display, fleet, by, signal } = parts
  const queue: BoardTask[] = []
  const later = new Set<BoardTask>()
  const listeners: (() => void)[] = []
  /** Ends the question that is open. */
  let close: (() => void) | undefined

  function next(): void {
    const task = queue[0]
    if (close !== undefined || task === undefined || signal.aborted) return
    const done = display.ask(task, parts.hintOf(task))
    const finish = (): void => {
      endKeys()
      done()
      signal.removeEventListener('abort', finish)
      queue.shift()
      close = undefined
      next()
    }
    close = finish
    const endKeys = terminal.keys((key) => {
      const answer = answers[key.toLowerCase()]
      if (close !== finish || answer === undefined) return
      finish()
      void give(task, answer)
    })
    signal.addEventListener('abort', finish, { once: true })
  }

  async function give(task: BoardTask, answer: Answer): Promise<void> {
    if (answer === 'later') {
      later.add(task)
      for (const listener of listeners) listener()
      return
    }
    try {
      await (await fleet.run(task.run)).settle(task.id, { result: answer, by })
    } catch (error) {
      // Somebody else was faster, or the fleet is closing: the display tells how it stands.
      if (!FleetError.is(error)) throw error
      display.say(error.message)
    }
  }

  return {
    offer(task) {
      later.delete(task)
      if (!queue.includes(task)) queue.push(task)
      next()
    },
    withdraw(task) {
      const at = queue.indexOf(task)
      if (at === 0) close?.()
      else if (at > 0) queue.splice(at, 1)
    },
    waitsFor: (tasks) => tasks.some((task) => !later.has(task)),
    onLater: (listener) => void listeners.push(listener),
  }
}

type Answer = 'pass' | 'fail' | 'later'

const answers: Readonly<Record<string, Answer>> = { p: 'pass', f: 'fail', l: 'later', '\u0004': 'later' }
