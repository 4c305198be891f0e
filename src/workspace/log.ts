import type { FleetArtifactRef } from '../protocol/artifact.ts'
import type { Blobs } from '../ports/blobs.ts'
import type { AttemptPlace } from '../ports/collector.ts'
import type { Files } from '../ports/files.ts'
import { createBoundedText } from './bounded-text.ts'
import { joinPath } from './paths.ts'
import { joinedBytes } from '../security/joined-bytes.ts'

/** The name of an attempt's log in its folder, and as an artifact. */
const logName = 'output.log'

/** The log of one attempt (AR5). */
export interface AttemptLog {
  /** Adds text. The beginning is written to the attempt's folder at once, so that it can be followed while the attempt runs. */
  write(text: string): Promise<void>
  /** Adds the end to the file, keeps the whole as a blob, and gives its reference; undefined when nothing was written. */
  finish(): Promise<FleetArtifactRef | undefined>
}

/** Creates an empty log of at most `limit` bytes: what is over is cut from the middle, and a line says how many bytes. */
export function createAttemptLog(
  place: AttemptPlace,
  { files, blobs, limit }: { readonly files: Files; readonly blobs: Blobs; readonly limit: number },
): AttemptLog {
  const text = createBoundedText(limit)
  const path = joinPath(place.folder, logName)
  let writing: Promise<void> = Promise.resolve()

  /** One after the other. The file is a convenience that the work itself may spoil, since it lies in its folder: the blob is what counts. */
  const append = (piece: string) => {
    if (piece !== '') writing = writing.then(() => files.append(path, piece)).catch(() => {})
    return writing
  }

  return {
    write: (added) => append(decoded(text.add(new TextEncoder().encode(added)))),
    async finish() {
      if (text.beginning.length === 0) return undefined
      const { cut, end } = text.rest()
      await append(cut + decoded(end))
      const { sha256, size } = await blobs.put(place.run_id, joinedBytes([...text.beginning, new TextEncoder().encode(cut), end]))
      return { kind: 'log', path: logName, checksum: `sha256:${sha256}`, mime_type: 'text/plain', size_bytes: size }
    },
  }
}

function decoded(bytes: Uint8Array): string {
  return new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes)
}
