import { z } from 'zod'
import { contract, type ValueOf } from './codec.ts'
import { filePath, object, optional, pattern, u64 } from './field.ts'

/** The kinds of artifact that the contract knows by name. */
export const knownArtifactKinds = ['log', 'patch', 'test_result', 'report', 'checkpoint', 'receipt'] as const

/** What an artifact is: one of the known kinds, or any other word, kept as it is. */
export const FleetArtifactKind = contract('FleetArtifactKind', () => z.string())
export type FleetArtifactKind = ValueOf<typeof FleetArtifactKind>

/** The fields of an artifact's reference, as they also stand in an `artifact` event. */
export const artifactShape = () => ({
  kind: FleetArtifactKind.schema,
  path: filePath(),
  checksum: optional(pattern('a checksum "sha256:" and 64 hex digits', /^sha256:[0-9A-Fa-f]{64}$/)),
  mime_type: optional(z.string()),
  size_bytes: optional(u64()),
})

/** A reference to what a task left behind, with the size and checksum that the fleet computed (AR1, AR2). */
export const FleetArtifactRef = contract('FleetArtifactRef', () => object(artifactShape()))
export type FleetArtifactRef = ValueOf<typeof FleetArtifactRef>
