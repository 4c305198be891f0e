import { hasEnded } from '../row-list.ts'
import type { RunHead } from './run-heads.ts'

/** A file of the index that never changes: the heads of runs that need nobody any more. */
export interface ShardRef {
  readonly file: string
  readonly runs: number
  /** When the newest of its runs was created; epoch milliseconds, 0 where all are removed. */
  readonly newest: number
  /** Those of its runs whose heads changed since: they are kept elsewhere. */
  readonly stale: readonly string[]
}

/** A shard that is to be written. */
export interface NewShard {
  readonly heads: readonly RunHead[]
  readonly newest: number
}

const runsPerShard = 500

/** Which heads lie in which shard of the index, and which of the shards were not loaded. */
export class HeadShards {
  /** By file. */
  readonly #refs: Map<string, ShardRef>
  readonly #apart: Set<string>
  /** The shards of loaded heads, by run. */
  readonly #fileOf = new Map<string, string>()

  constructor(refs: readonly ShardRef[]) {
    this.#refs = new Map(refs.map((ref) => [ref.file, ref]))
    this.#apart = new Set(this.#refs.keys())
  }

  get refs(): readonly ShardRef[] {
    return [...this.#refs.values()]
  }

  get areApart(): boolean {
    return this.#apart.size > 0
  }

  /** The shard that was not loaded and has the newest run. */
  get nextApart(): ShardRef | undefined {
    const apart = this.refs.filter(({ file }) => this.#apart.has(file))
    return apart.reduce<ShardRef | undefined>(
      (next, ref) => (next === undefined || ref.newest > next.newest ? ref : next),
      undefined,
    )
  }

  /** Counts a shard as loaded, and gives those of its heads that are not kept elsewhere. */
  load({ file }: ShardRef, heads: readonly RunHead[]): readonly RunHead[] {
    const ref = this.#refs.get(file)
    if (ref === undefined || !this.#apart.delete(file)) return []
    const stale = new Set(ref.stale)
    const kept = heads.filter(({ run }) => !stale.has(run))
    for (const { run } of kept) this.#fileOf.set(run, file)
    return kept
  }

  /** What the shards that were not loaded hold is known from elsewhere. */
  giveUpApart(): void {
    for (const file of this.#apart) this.#refs.delete(file)
    this.#apart.clear()
  }

  /** The head is no longer what its shard says. */
  changed({ run }: RunHead): void {
    const file = this.#fileOf.get(run)
    const ref = file === undefined ? undefined : this.#refs.get(file)
    this.#fileOf.delete(run)
    if (ref !== undefined) this.#refs.set(ref.file, { ...ref, stale: [...ref.stale, run] })
  }

  /** Gives up shards of which most is stale; their other heads are to be kept elsewhere. */
  dissolve(): void {
    for (const { file, runs, stale } of this.refs) {
      if (stale.length < runs && (stale.length * 2 <= runs || this.#apart.has(file))) continue
      this.#refs.delete(file)
      this.#apart.delete(file)
      for (const [run, at] of this.#fileOf) if (at === file) this.#fileOf.delete(run)
    }
  }

  /** Divides heads into full shards to be written, and the rest; `isBusy` tells of those that may not be put away yet. */
  divide(
    heads: Iterable<RunHead>,
    isBusy: (run: string) => boolean,
  ): { readonly shards: readonly NewShard[]; readonly rest: readonly RunHead[] } {
    const unfiled = [...heads].filter(({ run }) => !this.#fileOf.has(run))
    const settled = unfiled.filter((head) => isSettled(head) && !isBusy(head.run)).toSorted((a, b) => a.order - b.order)
    const shards: NewShard[] = []
    for (let from = 0; from + runsPerShard <= settled.length; from += runsPerShard) {
      const some = settled.slice(from, from + runsPerShard)
      shards.push({ heads: some, newest: some.reduce((newest, { row }) => Math.max(newest, row?.createdAt ?? 0), 0) })
    }
    const put = new Set(shards.flatMap((shard) => shard.heads))
    return { shards, rest: unfiled.filter((head) => !put.has(head)) }
  }

  /** A shard was written; `changed` names those of its runs that are no longer what was written. */
  add(ref: ShardRef, heads: readonly RunHead[], changed: readonly string[]): void {
    this.#refs.set(ref.file, { ...ref, stale: changed })
    const stale = new Set(changed)
    for (const { run } of heads) if (!stale.has(run)) this.#fileOf.set(run, ref.file)
  }
}

/** Nothing more is expected of the run. */
function isSettled({ row, removed, damage }: RunHead): boolean {
  return damage === undefined && (removed === true || hasEnded(row))
}
