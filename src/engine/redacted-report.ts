import type { FleetArtifactRef } from '../protocol/artifact.ts'
import type { Json } from '../protocol/json.ts'
import type { AttemptMessage, ProgressEvent } from '../protocol/wire.ts'
import type { Verdict } from '../ports/scorer.ts'
import type { KnownSecret, RedactedStream, Redactor } from '../security/redactor.ts'
import type { Core } from './core.ts'
import type { AttemptPresence } from './presence.ts'

/** Nothing that a worker says goes further before it went through here: no entry, event, receipt or log holds a secret (SE5). */

type Redact = { readonly [Type in AttemptMessage['type']]: (message: MessageOf<Type>, redactor: Redactor) => MessageOf<Type> }
type MessageOf<Type> = Extract<AttemptMessage, { readonly type: Type }>

const same = <Message>(message: Message): Message => message

/** The words of each message. A new message needs its row. */
const redact: Redact = {
  accepted: (message, redactor) =>
    message.process === undefined
      ? message
      : { ...message, process: { group: message.process.group, started: redactor.text(message.process.started) } },
  heartbeat: same,
  progress: (message, redactor) => ({ ...message, event: redactProgress(message.event, redactor) }),
  usage: same,
  route: (message, redactor) => ({ ...message, route: redactor.json(message.route) as typeof message.route }),
  // A secret may be spread over several messages: see `redactLog`.
  log: same,
  // Its path finds the file: see `redactArtifact`.
  artifact: (message, redactor) => ({
    ...message,
    kind: redactor.text(message.kind),
    ...(message.mime_type !== undefined && { mime_type: redactor.text(message.mime_type) }),
  }),
  result: (message, redactor) => ({
    ...message,
    ...(message.summary !== undefined && { summary: redactor.text(message.summary) }),
    ...(message.output !== undefined && { output: redactor.json(message.output) }),
  }),
  failed: (message, redactor) => ({ ...message, reason: redactor.text(message.reason) }),
  stopped: same,
}

/** A message with the secrets that are in use covered; itself where there are none. */
export function redactReport(core: Core, message: AttemptMessage): AttemptMessage {
  const { redactor } = core.inUse
  if (redactor === undefined) return message
  // The table pairs each type with its own message.
  const redactOne = redact[message.type] as (message: AttemptMessage, redactor: Redactor) => AttemptMessage
  return redactOne(message, redactor)
}

const progressFields: ReadonlySet<string> = new Set(['model', 'tool', 'call_id', 'workflow_run_id', 'event'])

/** Whatever a worker adds to an event is kept with it. */
function redactProgress({ state, ...words }: ProgressEvent, redactor: Redactor): ProgressEvent {
  const members = Object.entries(words).map(
    ([name, member]: [string, Json]) => [progressFields.has(name) ? name : redactor.text(name), redactor.json(member)] as const,
  )
  // Texts stay texts.
  return { state, ...Object.fromEntries(members) } as ProgressEvent
}

/** A log on its way through a redactor. */
export interface LogRedaction {
  readonly redactor: Redactor
  readonly stream: RedactedStream
}

/** What of an attempt's log can be written: the end of it is held back while it may be the beginning of a secret. */
export function redactLog(core: Core, presence: AttemptPresence, text: string): string {
  const { redactor } = core.inUse
  if (redactor === undefined) return text
  let begun = presence.redaction
  let held = ''
  if (begun?.redactor !== redactor) {
    // Other secrets came into use since it began.
    held = begun === undefined ? '' : decode(begun.stream.giveBack())
    presence.redaction = begun = { redactor, stream: redactor.stream() }
  }
  return decode(begun.stream.write(new TextEncoder().encode(held + text)))
}

/** What was held back of an attempt's log. */
export function restOfLog(presence: AttemptPresence): string {
  return presence.redaction === undefined ? '' : decode(presence.redaction.stream.end())
}

/** What an artifact is called and said to be. Its bytes are the work's own, and stay as they are. */
export function redactArtifact(core: Core, artifact: FleetArtifactRef): FleetArtifactRef {
  const { redactor } = core.inUse
  return redactor === undefined ? artifact : { ...artifact, path: redactor.text(artifact.path) }
}

/** What a scorer found in the files of the work. */
export function redactVerdict(core: Core, verdict: Verdict): Verdict {
  const { redactor } = core.inUse
  if (redactor === undefined) return verdict
  const { score } = verdict
  return {
    ...verdict,
    evidence: redactor.text(verdict.evidence),
    score: { ...score, ...(score.notes !== undefined && { notes: redactor.text(score.notes) }) },
  }
}

/** Any other text that may come from a worker or its host. */
export function withoutSecrets(core: Core, text: string): string {
  return core.inUse.redactor?.text(text) ?? text
}

/** The secrets of an assignment, as the redactor takes them. */
export function knownSecrets(secrets: Readonly<Record<string, string>>): readonly KnownSecret[] {
  return Object.entries(secrets).map(([key, value]) => ({ key, value }))
}

function decode(bytes: Uint8Array): string {
  return new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes)
}
