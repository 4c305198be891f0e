import type { FleetArtifactRef } from '../protocol/artifact.ts'
import { FleetError } from '../protocol/errors.ts'
import type { ArtifactMessage } from '../protocol/wire.ts'
import type { Blobs } from '../ports/blobs.ts'
import type { AttemptPlace } from '../ports/collector.ts'
import type { Files } from '../ports/files.ts'
import { findArtifact } from './artifact-place.ts'
import { relativeProblem } from '../protocol/path-text.ts'

/** How much one attempt may leave (AR4). */
export interface ArtifactLimits {
  /** Bytes of one artifact. */
  readonly artifactBytes: number
  /** Bytes of all artifacts of an attempt together. */
  readonly attemptBytes: number
  readonly attemptArtifacts: number
}

/** What collecting stands on. */
export interface ArtifactParts {
  readonly files: Files
  readonly blobs: Blobs
  /** Lower-case hex. */
  readonly sha256: (bytes: Uint8Array) => string
  readonly limits: ArtifactLimits
}

/** Takes the reports of one attempt; rejects `artifact_refused` with the reason. */
export type CollectArtifact = (report: ArtifactMessage) => Promise<FleetArtifactRef>

/**
 * Makes what collects the artifacts of one attempt. Bytes, and files in the attempt's own folder, are kept as blobs; files in the workspace
 * stay there by reference (AR1). Size and checksum are those of the bytes that were read (AR2).
 */
export function createArtifactCollector(place: AttemptPlace, parts: ArtifactParts): CollectArtifact {
  const { files, blobs, sha256, limits } = parts
  const tally = createTally(limits)

  const contentOf = async (report: ArtifactMessage): Promise<Content> => {
    const syntax = relativeProblem(report.path)
    if (syntax !== undefined) return refuse(report, `its path ${syntax}`)
    const { bytes } = report
    if (bytes !== undefined) return { name: report.path, size: bytes.length, isInWorkspace: false, read: async () => bytes }
    const located = await findArtifact(files, place, report.path)
    if ('refused' in located) return refuse(report, located.refused)
    const { found } = located
    return { ...found, read: () => files.read(found.path, { limit: found.size, within: found.base, maxLinks: 1 }) }
  }

  const keep = async (report: ArtifactMessage): Promise<FleetArtifactRef> => {
    const content = await contentOf(report)
    // Counted before the bytes are read: reports of one moment cannot pass the limits together.
    const over = tally.add(content.size)
    if (over !== undefined) return refuse(report, over)
    try {
      const bytes = await content.read()
      const checksum = sha256(bytes)
      const mismatch = claimProblem(report, { checksum, size: bytes.length })
      if (mismatch !== undefined) return refuse(report, mismatch)
      if (!content.isInWorkspace) await blobs.put(place.run_id, bytes)
      return {
        kind: report.kind,
        path: content.name,
        checksum: `sha256:${checksum}`,
        ...(report.mime_type === undefined ? {} : { mime_type: report.mime_type }),
        size_bytes: bytes.length,
      }
    } catch (error) {
      tally.remove(content.size)
      throw error
    }
  }

  return (report) =>
    keep(report).catch((error: unknown) => {
      if (FleetError.is(error, 'artifact_refused')) throw error
      return refuse(report, error instanceof Error ? error.message : String(error), error)
    })
}

interface Content {
  readonly name: string
  readonly size: number
  readonly isInWorkspace: boolean
  read(): Promise<Uint8Array>
}

function createTally(limits: ArtifactLimits) {
  let artifacts = 0
  let bytes = 0
  return {
    /** Gives the limit that would be passed; then nothing was counted. */
    add(size: number): string | undefined {
      if (size > limits.artifactBytes) return `it has ${size} bytes, and one artifact may have ${limits.artifactBytes}`
      if (artifacts + 1 > limits.attemptArtifacts) return `an attempt may leave ${limits.attemptArtifacts} artifacts`
      if (bytes + size > limits.attemptBytes) return `all artifacts of an attempt may have ${limits.attemptBytes} bytes together`
      artifacts += 1
      bytes += size
      return undefined
    },
    remove(size: number) {
      artifacts -= 1
      bytes -= size
    },
  }
}

function claimProblem(report: ArtifactMessage, real: { readonly checksum: string; readonly size: number }): string | undefined {
  const claimed = report.checksum?.toLowerCase()
  if (claimed !== undefined && claimed !== `sha256:${real.checksum}`)
    return `its checksum is sha256:${real.checksum}, not ${claimed}`
  if (report.size_bytes !== undefined && report.size_bytes !== real.size)
    return `it has ${real.size} bytes, not ${report.size_bytes}`
  return undefined
}

function refuse(report: ArtifactMessage, why: string, cause?: unknown): never {
  const name = JSON.stringify(report.path.slice(0, 200))
  throw new FleetError('artifact_refused', `Artifact ${name} is refused: ${why}.`, {
    details: { path: report.path, kind: report.kind },
    cause,
  })
}
