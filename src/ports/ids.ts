/** Names and chance. With the same seed and the same calls, the same answers (CO2). */
export interface Ids {
  /** A new id: `prefix` and at least 80 random bits in lower-case letters and digits. */
  next(prefix: string): string
  /** A number in [0, 1). */
  random(): number
  /**
   * The source for one ownership of a store. A source that follows from a seed must have it: without it, the owner after a crash would
   * draw the ids of the one before it again (CO2).
   */
  forEpoch?(epoch: number): Ids
}
