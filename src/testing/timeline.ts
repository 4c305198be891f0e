import type { FleetEvent, FleetEventName, FleetEventOf } from '../protocol/fleet-event.ts'
import type { RunReader } from '../fleet/run-reader.ts'

/** What a line says of an event; undefined is an event that another one tells too. */
type Words = { readonly [Name in FleetEventName]?: (payload: FleetEventOf<Name>['payload']) => string | undefined }

const words: Words = {
  'run.created': ({ tasks }) => `created with ${tasks} ${tasks === 1 ? 'task' : 'tasks'}`,
  'run.status_changed': ({ status }) => status,
  'run.sealed': () => 'sealed',
  'task.enqueued': () => 'queued',
  'task.leased': () => 'leased',
  'worker.running': () => 'running',
  'worker.model_wait': ({ model }) => (model === undefined ? 'waits for a model' : `waits for ${model}`),
  'worker.running_tool': ({ tool }) => `tool ${tool}`,
  'worker.artifact': ({ kind, path }) => `left ${kind} ${path}`,
  'worker.interrupted': ({ signal }) => `interrupted: ${signal ?? 'no reason given'}`,
  'worker.stale': () => 'stale',
  'worker.failed': ({ reason, recoverable }) => `failed${recoverable ? '' : ' for good'}: ${reason}`,
  'task.receipt_recorded': ({ result, failure_kind }) =>
    failure_kind === undefined ? `receipt ${result}` : `receipt ${result} (${failure_kind})`,
  'task.terminal': ({ status }) => `ended ${status}`,
  'alert.raised': ({ class: name }) => `alert ${name}`,
  'alert.sent': ({ class: name, channel, action }) =>
    action === 'trigger' ? `told ${channel}: ${name}` : `told ${channel}: ${name} is over`,
  'alert.given_up': ({ class: name, channel }) => `gave up telling ${channel}: ${name}`,
}

interface Line {
  readonly at: string
  readonly who: string
  readonly said: string[]
}

/**
 * A run as a text, one line for what happened to one attempt at one moment: times count from its creation, and nothing of it changes
 * from one execution to the next. Good as a snapshot, and to read a test by.
 */
export async function timeline(run: Pick<RunReader, 'events' | 'replay'>): Promise<string> {
  const lines: Line[] = []
  let began: number | undefined
  for await (const event of eventsOf(run)) {
    const moment = Date.parse(event.timestamp)
    began ??= moment
    const said = wordsOf(event)
    if (said === undefined) continue
    const at = `+${lengthOfTime(moment - began)}`
    const who = whoOf(event)
    const last = lines.at(-1)
    if (last?.at === at && last.who === who) last.said.push(said)
    else lines.push({ at, who, said: [said] })
  }
  const wide = (column: 'at' | 'who'): number => Math.max(0, ...lines.map((line) => line[column].length))
  const [at, who] = [wide('at'), wide('who')]
  return lines.map((line) => `${line.at.padEnd(at)}  ${line.who.padEnd(who)}  ${line.said.join(', ')}\n`).join('')
}

/** The events so far: those of a run that goes on end where they are now. */
async function* eventsOf(run: Pick<RunReader, 'events' | 'replay'>): AsyncGenerator<FleetEvent> {
  let after: string | undefined
  for await (const first of run.events()) {
    yield first
    after = first.cursor
    break
  }
  while (after !== undefined) {
    const page = await run.replay({ after, limit: 1_000 })
    yield* page.events
    after = page.has_more ? page.next_cursor : undefined
  }
}

function wordsOf<Name extends FleetEventName>(event: FleetEventOf<Name>): string | undefined {
  const row = words[event.event] as ((payload: FleetEventOf<Name>['payload']) => string | undefined) | undefined
  return row?.(event.payload)
}

function whoOf({ task_id, attempt, worker_id }: FleetEvent): string {
  if (task_id === undefined) return 'run'
  if (attempt === undefined) return task_id
  return worker_id === undefined || worker_id === 'fleet' ? `${task_id}#${attempt}` : `${task_id}#${attempt} on ${worker_id}`
}

/** Exact, in as few characters as that takes: `2s`, `1m05s`, `3h00m00.250s`. */
export function lengthOfTime(ms: number): string {
  const two = (value: number): string => String(value).padStart(2, '0')
  const seconds = Math.floor(ms / 1_000)
  const rest = ms % 1_000 === 0 ? '' : `.${String(ms % 1_000).padStart(3, '0')}`
  const [hours, minutes] = [Math.floor(seconds / 3_600), Math.floor(seconds / 60) % 60]
  if (hours > 0) return `${hours}h${two(minutes)}m${two(seconds % 60)}${rest}s`
  return minutes > 0 ? `${minutes}m${two(seconds % 60)}${rest}s` : `${seconds}${rest}s`
}
