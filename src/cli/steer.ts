import type { Control } from '../index.ts'
import type { RunCommand } from '../index.ts'
import type { Invocation } from './verb.ts'

/** Hands a command to whoever has the store, or performs it here when nobody has, and tells what came of it (ST10). */
export async function steer({ output }: Invocation, control: Control, command: RunCommand, next?: string): Promise<number> {
  const { changed, message, by } = await control.perform(command)
  output.text(message)
  if (by === 'here' && changed && next !== undefined) output.text(next)
  output.summary({
    run_id: command.run_id,
    ...('task_id' in command && { task_id: command.task_id }),
    changed,
    message,
    taken_by: by,
  })
  return 0
}
