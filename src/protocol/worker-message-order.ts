import { FleetError } from './errors.ts'
import type { AttemptKey, FromWorker } from './wire.ts'

/** Watches over the messages of one channel: whether each may come where it comes (HO8). */
export interface WorkerMessageOrder {
  /** Why a message is refused, with the code `invalid_message`; undefined when it may be taken. Only what may be taken counts. */
  refusal(message: FromWorker): FleetError | undefined
}

/** Attempts whose end is remembered; the oldest go first, and what still comes of those is fenced by its number (LE2). */
const rememberedEnds = 1_000

/**
 * A channel begins with one `hello`, of the worker that it belongs to: a worker may only speak for itself. The last message of an attempt,
 * `result`, `failed` or `stopped`, is followed by none of the same.
 */
export function createWorkerMessageOrder(workerId: string): WorkerMessageOrder {
  let hasGreeted = false
  const ended = new Set<string>()

  return {
    refusal(message) {
      if (message.type === 'hello') {
        if (message.worker_id !== workerId) return outOfPlace(`a hello of another worker than ${workerId}`)
        if (hasGreeted) return outOfPlace('a second hello')
        hasGreeted = true
        return undefined
      }
      if (!hasGreeted) return outOfPlace(`a message of the type ${message.type} before the hello`)
      const name = nameOf(message)
      if (ended.has(name)) return outOfPlace(`a message of the type ${message.type} after the last one of its attempt`)
      if (message.type === 'result' || message.type === 'failed' || message.type === 'stopped') ended.add(name)
      if (ended.size > rememberedEnds) ended.delete(String(ended.values().next().value))
      return undefined
    },
  }
}

function outOfPlace(what: string): FleetError {
  return new FleetError('invalid_message', `The worker sent ${what}, so it was not taken. Mend the worker.`)
}

function nameOf({ run_id, task_id, attempt }: AttemptKey): string {
  return `${run_id}/${task_id}/${attempt}`
}
