import type { Json } from '../protocol/json.ts'
import type { FleetTaskSpecInput } from '../protocol/task.ts'
import type { AttemptContext } from './attempt.ts'
import type { StandardSchema } from './standard-schema.ts'

/** The fields that have a name: an index signature for unknown ones would make every field unknown. */
type Named<T> = { [Key in keyof T as string extends Key ? never : Key]: T[Key] }

/** What a task of a definition takes besides its input: any field of the wire's task. `name` is its id by default. */
export type TaskFields<Input> = Omit<Named<FleetTaskSpecInput>, 'name' | 'instructions' | 'handler' | 'input'> & {
  readonly name?: string
  readonly instructions?: string
} & (undefined extends Input ? { readonly input?: Input } : { readonly input: Input })

/** A kind of work, with the types of what it takes and what it gives. Pass it in `handlers`, and its tasks in `tasks`. */
export interface TaskDefinition<Name extends string = string, Input = unknown, Output = unknown> {
  readonly name: Name
  readonly input?: StandardSchema<unknown, Input>
  readonly output?: StandardSchema<unknown, Output>
  run(attempt: AttemptContext<Input>): unknown
  /** A task that this definition does. */
  task(fields: TaskFields<Input>): FleetTaskSpecInput
}

/**
 * Defines a kind of work. `input` and `output` take any Standard Schema (zod, valibot, arktype, …): the input is checked before `run`, a
 * refused one is final; the output is checked after it, a refused one is retried, an accepted one passes when the task has no scorer
 * (VE8). `run` must return JSON. What it throws is retried, but for `NonRetryableError`.
 */
export function defineTask<
  const Name extends string,
  Input = Json | undefined,
  Output = Json | undefined,
  Returned extends Output = Output,
>(definition: {
  readonly name: Name
  readonly input?: StandardSchema<unknown, Input>
  readonly output?: StandardSchema<unknown, Output>
  run(attempt: AttemptContext<Input>): Returned | Promise<Returned>
}): TaskDefinition<Name, Input, Output> {
  return {
    ...definition,
    run: (attempt) => definition.run(attempt),
    task(given) {
      // Whether the input may be left out depends on its type; here it is the same.
      const { name, instructions, input, ...fields }: TaskFields<unknown> = given
      return {
        ...fields,
        name: name ?? fields.id,
        instructions: instructions ?? `Do ${definition.name}.`,
        handler: definition.name,
        // What a schema takes may be wider than JSON in its types; it is checked when the run is created.
        ...(input !== undefined && { input: input as Json }),
      }
    },
  }
}
