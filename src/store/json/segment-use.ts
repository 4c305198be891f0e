/** What a segment is still needed for. */
interface Use {
  /** Runs that have lines in it and were not removed. */
  runs: number
  /** Removed runs of which it is the only record. */
  tombstones: number
}

/** How many runs have lines in which segment, so that a segment that holds nothing any more is found without looking into it. */
export class SegmentUse {
  readonly #uses: Map<string, Use>

  constructor(uses: readonly (readonly [string, Use])[] = []) {
    this.#uses = new Map(uses.map(([segment, use]) => [segment, { ...use }]))
  }

  /** As it is written to the index. */
  all(): readonly (readonly [string, Use])[] {
    return [...this.#uses].map(([segment, use]) => [segment, { ...use }])
  }

  of(segment: string): Readonly<Use> {
    return this.#uses.get(segment) ?? { runs: 0, tombstones: 0 }
  }

  entered(segment: string): void {
    this.#useOf(segment).runs += 1
  }

  left(segments: Iterable<string>): void {
    for (const segment of new Set(segments)) this.#useOf(segment).runs -= 1
  }

  recorded(segment: string, tombstones: number): void {
    this.#useOf(segment).tombstones += tombstones
  }

  dropped(segments: readonly string[]): void {
    for (const segment of segments) this.#uses.delete(segment)
  }

  #useOf(segment: string): Use {
    const use = this.#uses.get(segment) ?? { runs: 0, tombstones: 0 }
    this.#uses.set(segment, use)
    return use
  }
}
