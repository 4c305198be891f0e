import type { Clock } from '../ports/clock.ts'
import type { Files } from '../ports/files.ts'
import { FleetError } from '../protocol/errors.ts'
import { relativeProblem } from '../protocol/path-text.ts'
import type { FleetScorerSpec } from '../protocol/task.ts'
import type { ArtifactMessage } from '../protocol/wire.ts'
import { transferPieceBytes } from '../protocol/worker-protocol.ts'
import { evidenceLimitBytes, findEvidence } from '../verification/evidence-place.ts'
import { type ArtifactPlace, findArtifact } from '../workspace/artifact-place.ts'
import type { Outbox, Saying } from './outbox.ts'

/** Bytes of an artifact up to here go within its report. */
const inlineBytes = 256 * 1_024

/** A larger artifact is not sent: no fleet takes it (AR4). */
const artifactLimitBytes = 64 * 1024 * 1024

/** Sends what the fleet cannot fetch for itself. */
export interface Outgoing {
  /** Reports an artifact with its bytes; gives why it is refused, when the worker refuses it itself (AR3, AR4). */
  artifact(report: ArtifactMessage): Promise<string | undefined>
  /** Says what is at the path that the task's scorer reads, if it reads one (VE2). */
  evidence(scorer: FleetScorerSpec | undefined): Promise<void>
}

export function createOutgoing(options: {
  readonly outbox: Outbox
  readonly clock: Pick<Clock, 'turn'>
  readonly files: Files
  /** Where the files of the attempt are. */
  readonly place: ArtifactPlace
}): Outgoing {
  const { outbox, clock, files, place } = options
  let transfers = 0

  /** Sends bytes in pieces, and gives the number of their transfer. A file of no bytes is one piece. */
  const transfer = async (bytes: Uint8Array): Promise<number> => {
    transfers += 1
    const number = transfers
    // The fleet acknowledges the pieces with the frame that names them, so they do not wait for each other.
    if (!(await outbox.room())) throw unwanted
    for (let from = 0; from === 0 || from < bytes.length; from += transferPieceBytes) {
      if (outbox.isGivenUp) throw unwanted
      outbox.say({ type: 'chunk', transfer: number, bytes: base64(bytes.subarray(from, from + transferPieceBytes)) })
      await clock.turn()
    }
    return number
  }

  const look = async (scorer: FleetScorerSpec, path: string): Promise<Omit<Evidence, 'type' | 'path'>> => {
    const found = await findEvidence(files, place.root, path)
    if (found.found !== 'file') return found
    // That it is there is all that this scorer asks.
    if (scorer.kind === 'file_exists' && found.size > evidenceLimitBytes) return { found: 'file' }
    const bytes = await files.read(found.path, { limit: evidenceLimitBytes, within: found.root })
    return { found: 'file', transfer: await transfer(bytes) }
  }

  return {
    async artifact(message) {
      const { kind, path, report, mime_type } = message
      const read = message.bytes === undefined ? await readArtifact(files, place, path) : { bytes: message.bytes, name: path }
      if ('refused' in read) return read.refused
      const { bytes, name } = read
      if (!(await outbox.room())) throw unwanted
      const told = { type: 'artifact', report, kind, path: name, ...(mime_type !== undefined && { mime_type }) } as const
      if (bytes.length <= inlineBytes) outbox.say({ ...told, bytes: base64(bytes) })
      else outbox.say({ ...told, transfer: await transfer(bytes) })
      return undefined
    },
    async evidence(scorer) {
      if (scorer === undefined || !('path' in scorer)) return
      const { path } = scorer
      const found = await look(scorer, path).catch((error: unknown) => ({
        found: 'refused' as const,
        reason: unreadable(path, error),
      }))
      outbox.say({ type: 'evidence', path, ...found })
    },
  }
}

/** Nobody waits for the file any more. */
const unwanted = new Error('the attempt was stopped')

type Evidence = Extract<Saying, { type: 'evidence' }>

async function readArtifact(
  files: Files,
  place: ArtifactPlace,
  path: string,
): Promise<{ readonly bytes: Uint8Array; readonly name: string } | { readonly refused: string }> {
  const refused = (why: string) => ({ refused: `Artifact ${JSON.stringify(path.slice(0, 200))} is refused: ${why}.` })
  const syntax = relativeProblem(path)
  if (syntax !== undefined) return refused(`its path ${syntax}`)
  try {
    const located = await findArtifact(files, place, path)
    if ('refused' in located) return refused(located.refused)
    const { found } = located
    if (found.size > artifactLimitBytes) {
      return refused(`it has ${found.size} bytes, and one artifact may have ${artifactLimitBytes}`)
    }
    const bytes = await files.read(found.path, { limit: artifactLimitBytes, within: found.base, maxLinks: 1 })
    return { bytes, name: found.name }
  } catch (error) {
    return refused(wordsOf(error))
  }
}

function unreadable(path: string, error: unknown): string {
  if (FleetError.is(error, 'too_large')) return `${path} is larger than ${evidenceLimitBytes} bytes.`
  return `${path} cannot be read: ${wordsOf(error)}`
}

function wordsOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64')
}
