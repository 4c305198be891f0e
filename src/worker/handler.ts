import type { FleetTaskSpec } from '../protocol/task.ts'
import type { AttemptContext } from './attempt.ts'
import type { StandardSchema } from './standard-schema.ts'

/**
 * Work with a name. A task asks for it by `handler`, and passes `input`.
 *
 * - `input`: when given, it checks the task's input before `run` is called; a refused input is a final `task` failure that lists
 *   every complaint with its path, and what the schema makes of the input is what `attempt.input` holds.
 * - `output`: when given, it checks what `run` returned; a refused output is a `task` failure that is retried, an accepted one passes
 *   when the task has no scorer (VE8), and what the schema makes of it is what the receipt records.
 * - `run` returns JSON (see {@link PlainHandler}), or throws: a `task` failure that is retried, unless it is a `NonRetryableError`.
 */
export interface TaskHandler<Input = unknown, Output = unknown, Returned = Output> {
  readonly name: string
  readonly input?: StandardSchema<unknown, Input>
  readonly output?: StandardSchema<Returned, Output>
  run(attempt: AttemptContext<Input>): Returned | Promise<Returned>
}

/**
 * A function that does tasks naming neither a handler nor a command. What it returns is the task's output and must be JSON: plain
 * objects, arrays, strings, booleans, finite numbers and null. Anything else (a Date, a Map, NaN) is a `task` failure that names its
 * path. Returning nothing leaves no output.
 */
export type PlainHandler = (task: FleetTaskSpec, attempt: AttemptContext) => unknown
