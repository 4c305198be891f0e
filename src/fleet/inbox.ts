import type { Engine } from '../engine/engine.ts'
import { performCommand } from '../engine/run-command.ts'
import { FleetError } from '../protocol/errors.ts'
import type { PostedAnswer, PostedCommand } from '../protocol/command.ts'
import type { Json } from '../protocol/json.ts'

/** Takes the commands that other processes post, each once, and answers them (ST10). Ends when `signal` aborts. */
export async function serveInbox(engine: Engine, signal: AbortSignal): Promise<void> {
  for await (const item of engine.core.store.inbox({ signal })) {
    await item.answer(await answerTo(engine, item.command))
  }
}

async function answerTo(engine: Engine, { id, command }: PostedCommand): Promise<PostedAnswer> {
  try {
    return { ok: true, outcome: await performCommand(engine, command, id) }
  } catch (error) {
    if (FleetError.is(error)) return { ok: false, code: error.code, message: error.message, details: error.details as Json }
    return { ok: false, code: 'refused', message: `The command could not be performed: ${String(error)}` }
  }
}
