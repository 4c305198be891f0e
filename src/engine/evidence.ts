import type { Blobs } from '../ports/blobs.ts'
import type { FleetArtifactRef } from '../protocol/artifact.ts'

/** Evidence lies in the receipt up to so many bytes of UTF-8, above that in a blob too (VE6). */
const evidenceLimit = 4096
const ellipsis = '…'
/** The most bytes that a UTF-16 unit takes in UTF-8. */
const bytesPerUnit = 3

/** As much of the evidence as a receipt holds, never cut inside a character. */
export function boundedEvidence(text: string): string {
  if (text.length * bytesPerUnit <= evidenceLimit) return text
  const { read } = new TextEncoder().encodeInto(text, new Uint8Array(evidenceLimit))
  if (read === text.length) return text
  const room = new TextEncoder().encodeInto(text, new Uint8Array(evidenceLimit - new TextEncoder().encode(ellipsis).length))
  return `${text.slice(0, room.read)}${ellipsis}`
}

/** Keeps evidence that is too long for a receipt whole, as an artifact of kind `evidence`; gives nothing for what fits. */
export async function keepEvidence(blobs: Blobs, run: string, text: string): Promise<readonly FleetArtifactRef[]> {
  const bytes = new TextEncoder().encode(text)
  if (bytes.length <= evidenceLimit) return []
  try {
    const { sha256, size } = await blobs.put(run, bytes)
    return [{ kind: 'evidence', path: 'evidence.txt', checksum: `sha256:${sha256}`, mime_type: 'text/plain', size_bytes: size }]
  } catch {
    // A verdict counts even where its whole evidence cannot be kept: the receipt has its beginning.
    return []
  }
}
