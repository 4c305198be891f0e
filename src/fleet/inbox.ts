import type { Engine } from '../engine/engine.ts'
import { performCommand } from '../engine/run-command.ts'
import { FleetError } from '../protocol/errors.ts'
import type { PostedAnswer, PostedCommand } from '../protocol/command.ts'
import type { Json } from '../protocol/json.ts'
import type { InboxItem } from '../ports/store.ts'

/** How long an answer that the store did not take waits before it is given again. */
const answerAgainMs = 1_000

/** Takes the commands that other processes post, each once, and answers them (ST10). Ends when `signal` aborts. */
export async function serveInbox(engine: Engine, signal: AbortSignal): Promise<void> {
  for await (const item of engine.core.store.inbox({ signal })) {
    const answer = await answerTo(engine, item.command)
    while (!signal.aborted && !(await isGiven(item, answer)))
      await engine.core.clock.sleep(answerAgainMs, { signal, keepAlive: false })
  }
}

/** What was done stays done, whether or not its poster can be told: a failing store must not end the service. */
async function isGiven(item: InboxItem, answer: PostedAnswer): Promise<boolean> {
  try {
    await item.answer(answer)
    return true
  } catch {
    return false
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
