// Your own way to workers, in forty lines: here each attempt is one call of the client of some other service. Whatever passes the contract
// suite can carry attempts.
import { setTimeout as sleep } from 'node:timers/promises'
import { createFleet, type ChannelEnd, type Transport } from 'flotilla'
import type { AssignMessage, FromWorker, ToWorker } from 'flotilla/protocol'
import { assignment, transportContract } from 'flotilla/testing'

type Service = (prompt: string, options: { signal: AbortSignal }) => Promise<string>

function callsOf(service: Service): Transport {
  return {
    kind: 'service',
    enforces: { network: false, fileWrites: false, environment: false, processes: false },
    heartbeats: 'fleet', // nobody over there speaks up; `timeout_seconds` bounds the calls
    startsAtOnce: false,
    survives: false,
    serves: { handlers: [], commands: false, plain: true },
    async open({ workerId, incarnation }) {
      const calls = new Map<string, { stop: AbortController; done: Promise<void> }>()
      let say!: ReadableStreamDefaultController<FromWorker>
      const messages = new ReadableStream<FromWorker>({ start: (controller) => void (say = controller) })
      let end!: (why: ChannelEnd) => void
      const closed = new Promise<ChannelEnd>((resolve) => (end = resolve))
      const call = async ({ run_id, task_id, attempt, task }: AssignMessage, { signal }: AbortController) => {
        const key = { run_id, task_id, attempt }
        say.enqueue({ type: 'accepted', ...key })
        await service(task.instructions, { signal }).then(
          (output) => say.enqueue({ type: 'result', ...key, output }),
          (error: Error) => say.enqueue(signal.aborted ? { type: 'stopped', ...key } : { type: 'failed', ...key, failure_kind: 'task', reason: error.message }), // prettier-ignore
        )
      }
      let closing: Promise<void> | undefined
      const send = (message: ToWorker): void => {
        const name = `${message.run_id}/${message.task_id}/${message.attempt}`
        if (message.type === 'stop') calls.get(name)?.stop.abort()
        if (message.type !== 'assign' || calls.has(name) || closing !== undefined) return
        const stop = new AbortController()
        calls.set(name, { stop, done: call(message, stop).finally(() => calls.delete(name)) })
      }
      const finish = async (reason: string): Promise<void> => {
        await Promise.all([...calls.values()].map(({ stop, done }) => (stop.abort(), done)))
        say.close()
        end({ reason, asked: true })
      }
      say.enqueue({ type: 'hello', worker_id: workerId, incarnation, attempts: [] })
      return { send, messages, closed, close: ({ reason }) => (closing ??= finish(reason)) }
    },
  }
}

const shout: Service = async (prompt, { signal }) => {
  if (prompt === 'fails') throw new Error('the service is away')
  await sleep(prompt === 'goes on' ? 3_600_000 : 1, undefined, { signal })
  return prompt.toUpperCase()
}

const fleet = await createFleet({ workers: [{ id: 'voice', transport: callsOf(shout), slots: 4 }] })
const run = await fleet.start({ name: 'shout', tasks: [{ id: 'a', name: 'A', instructions: 'hoist the sails' }] })
const { receipts } = await run.result()
console.log(receipts['a']?.output, receipts['a']?.worker_id) //=> HOIST THE SAILS voice
await fleet.close()

// The cases that every transport passes (HO1). In a test runner: `test(id, check)`.
const cases = transportContract(async () => ({
  transport: callsOf(shout),
  assign: (work, attempt) => assignment({ instructions: work }, { attempt }),
  dispose: async () => undefined,
}))
const failed: string[] = []
for (const { id, run: check } of cases) await check().catch((error: unknown) => failed.push(`${id}: ${String(error)}`))
console.log(cases.length >= 8, failed) //=> true []
