import type { Blobs } from '../ports/blobs.ts'

/** Blobs in memory, by run and content. */
export function memoryBlobs(): Blobs {
  const blobs = new Map<string, Map<string, Uint8Array>>()
  return {
    put: async (run, bytes) => {
      // Loaded when it is first needed: most programs keep no bytes in memory.
      const { hash } = process.getBuiltinModule('node:crypto')
      const sha256 = hash('sha256', bytes)
      const kept = blobs.get(run) ?? new Map<string, Uint8Array>()
      blobs.set(run, kept.set(sha256, Uint8Array.from(bytes)))
      return { sha256, size: bytes.length }
    },
    open: async (run, sha256) => {
      const kept = blobs.get(run)?.get(sha256)
      return kept && Uint8Array.from(kept)
    },
    remove: async (run) => void blobs.delete(run),
  }
}
