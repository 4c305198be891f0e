import type { RunFacts } from '../admission.ts'
import type { RunRow } from '../../ports/store.ts'
import type { PlacedLine, SegmentItem } from './segment-parse.ts'

/** A place in the journal. */
export interface Place {
  readonly segment: string
  readonly byte: number
}

/** Where the line of an entry begins: a mark to start reading from. */
export interface Mark extends Place {
  readonly seq: number
}

/** What the journal says of one run, without its entries. */
export interface RunHead {
  readonly run: string
  /** The last sequence that reads as it was written, and the hash of its line. */
  seq: number
  hash: string
  /** One mark for every 64 entries, and one in each segment. */
  readonly marks: Mark[]
  row?: RunRow
  /** Where the run's history breaks; nothing after `seq` is used, unless it goes on from there without a gap (ST4). */
  damage?: Place
  removed?: boolean
}

const markEvery = 64

/** The heads of all runs, as folded from journal lines. */
export class RunHeads implements RunFacts {
  readonly #heads = new Map<string, RunHead>()
  readonly #keys = new Map<string, string>()
  /** Damaged places of which nobody knows whose they are. */
  readonly #unclaimed: Place[] = []

  static from(heads: Iterable<RunHead>): RunHeads {
    const all = new RunHeads()
    for (const head of heads) {
      all.#heads.set(head.run, head)
      if (head.row?.key !== undefined) all.#keys.set(head.row.key, head.run)
    }
    return all
  }

  get(run: string): RunHead | undefined {
    return this.#heads.get(run)
  }

  all(): IterableIterator<RunHead> {
    return this.#heads.values()
  }

  seq(run: string): number {
    return this.#heads.get(run)?.seq ?? 0
  }

  removed(run: string): boolean {
    return this.#heads.get(run)?.removed === true
  }

  keyHolder(key: string): string | undefined {
    return this.#keys.get(key)
  }

  *rows(): Generator<RunRow> {
    for (const { row } of this.#heads.values()) if (row !== undefined) yield row
  }

  /** Places of damage, and whose history breaks there, where that can be told. */
  get damages(): readonly { readonly place: Place; readonly run: string | undefined }[] {
    const claimed = [...this.#heads.values()].flatMap(({ run, damage }) => (damage === undefined ? [] : [{ run, place: damage }]))
    return [...claimed, ...this.#unclaimed.map((place) => ({ run: undefined, place }))]
  }

  fold(items: readonly SegmentItem[], segment: string): void {
    for (const item of items) {
      if (item.kind === 'batch') for (const line of item.lines) this.foldLine(line, segment)
      if (item.kind === 'bad') this.#foldBad(item, { segment, byte: item.byte })
    }
  }

  /** Takes in a line whose offset counts from `base`. */
  foldLine(line: PlacedLine, segment: string, base = 0): void {
    const head = this.#heads.get(line.run) ?? this.#create(line.run)
    const place = { segment, byte: base + line.byte }
    if (line.removed !== undefined) return this.#foldRemoval(head, line)
    if (head.removed === true) return
    if (line.seq !== head.seq + 1 || line.prev !== head.hash) {
      head.damage ??= place
      return
    }
    if (head.damage !== undefined) this.#clear(head, head.damage)
    const mark = head.marks.at(-1)
    if (mark === undefined || mark.segment !== segment || line.seq - mark.seq >= markEvery)
      head.marks.push({ seq: line.seq, ...place })
    head.seq = line.seq
    head.hash = line.hash
    if (line.row === undefined) return
    head.row = line.row
    if (line.row.key !== undefined) this.#keys.set(line.row.key, line.run)
  }

  #foldRemoval(head: RunHead, line: PlacedLine): void {
    if (head.row?.key !== undefined) this.#keys.delete(head.row.key)
    head.seq = line.seq
    head.hash = line.hash
    head.marks.length = 0
    head.removed = true
    delete head.row
    delete head.damage
  }

  #foldBad(item: Extract<SegmentItem, { kind: 'bad' }>, place: Place): void {
    const heads = item.run === undefined ? this.#ownersOf(item.text) : [this.#heads.get(item.run)]
    for (const head of heads) if (head !== undefined && head.removed !== true) head.damage ??= place
    if (heads.length === 0) this.#unclaimed.push(place)
  }

  /** Whose lines these bytes were: of run, sequence and hash, each of which may be what is damaged, enough must fit. */
  #ownersOf(text: string): readonly RunHead[] {
    const found: RunHead[] = []
    for (const [, run = '', seq, prev = ''] of text.matchAll(/"run":"([^"]*)","seq":(\d+),"prev":"([^"]*)"/g)) {
      const named = this.#heads.get(run)
      const chained = prev === '' ? undefined : [...this.#heads.values()].find((head) => head.hash === prev)
      if (chained !== undefined) found.push(chained)
      else if (named !== undefined) found.push(named)
      else if (seq === '1' && prev === '') found.push(this.#create(run))
    }
    return found
  }

  /** The chain goes on without a gap: the damaged line bore this run's name by mistake. */
  #clear(head: RunHead, place: Place): void {
    delete head.damage
    this.#unclaimed.push(place)
  }

  #create(run: string): RunHead {
    const head: RunHead = { run, seq: 0, hash: '', marks: [] }
    this.#heads.set(run, head)
    return head
  }
}
