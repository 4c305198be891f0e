/** Bytes kept by content, per run. */
export interface Blobs {
  /** Stores bytes durably and gives their name, the lower-case hex sha256. Storing the same bytes twice keeps one copy. */
  put(run: string, bytes: Uint8Array): Promise<{ readonly sha256: string; readonly size: number }>
  /** The bytes, or undefined when the run has none of this name. */
  open(run: string, sha256: string): Promise<Uint8Array | undefined>
  /** Forgets all bytes of a run. */
  remove(run: string): Promise<void>
}
