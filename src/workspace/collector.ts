import { attemptId } from '../protocol/attempt-key.ts'
import type { Blobs } from '../ports/blobs.ts'
import type { AttemptPlace, Collector } from '../ports/collector.ts'
import type { Files } from '../ports/files.ts'
import { type ArtifactLimits, type CollectArtifact, createArtifactCollector } from './artifacts.ts'
import { type AttemptLog, createAttemptLog } from './log.ts'

/** Bounds of what an attempt may leave behind. */
export interface CollectorLimits extends ArtifactLimits {
  /** Bytes of an attempt's log (AR5). */
  readonly logBytes: number
}

export const collectorLimits: CollectorLimits = {
  logBytes: 1024 * 1024,
  artifactBytes: 64 * 1024 * 1024,
  attemptBytes: 256 * 1024 * 1024,
  attemptArtifacts: 1_000,
}

/** Makes the adapter that gathers logs and artifacts (AR1–AR5). What it remembers of an attempt goes with `finish`. */
export function createCollector(options: {
  readonly files: Files
  readonly blobs: Blobs
  /** Lower-case hex. */
  readonly sha256: (bytes: Uint8Array) => string
  readonly limits?: Partial<CollectorLimits>
}): Collector {
  const { files, blobs, sha256 } = options
  const limits = { ...collectorLimits, ...options.limits }
  const attempts = new Map<string, { readonly log: AttemptLog; readonly collect: CollectArtifact }>()

  const of = (place: AttemptPlace) => {
    const name = attemptId(place)
    const known = attempts.get(name)
    if (known !== undefined) return known
    const attempt = {
      log: createAttemptLog(place, { files, blobs, limit: limits.logBytes }),
      collect: createArtifactCollector(place, { files, blobs, sha256, limits }),
    }
    attempts.set(name, attempt)
    return attempt
  }

  return {
    log: (place, text) => (text === '' ? Promise.resolve() : of(place).log.write(text)),
    collect: (place, report) => of(place).collect(report),
    async finish(place) {
      const attempt = attempts.get(attemptId(place))
      attempts.delete(attemptId(place))
      return attempt?.log.finish()
    },
  }
}
