import type { AttemptContext } from './attempt.ts'
import type { TaskDefinition } from './define-task.ts'
import type { TaskHandler } from './handler.ts'

/** A definition, or a function for tasks that name it by its key. Its input is whatever JSON the task carries. */
// The definitions of one table differ in their types; each keeps its own.
export type Handler = Pick<TaskDefinition, 'name' | 'input' | 'output' | 'run'> | ((attempt: AttemptContext) => unknown)

/** Handlers by name. The key of a definition is its name. */
export type Handlers = Readonly<Record<string, Handler>>

/** The handlers of a table, each with its name. */
export function taskHandlers(handlers: Handlers): TaskHandler[] {
  return Object.entries(handlers).map(([name, handler]) =>
    // A definition is a handler whose types the worker need not know.
    typeof handler === 'function' ? { name, run: (attempt) => handler(attempt) } : (handler as TaskHandler),
  )
}
