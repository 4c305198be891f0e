import type { Batch } from '../../../../src/ports/store.ts'
import type { PreparedBatch } from '../../../../src/store/json/group.ts'
import { assembleGroup, prepareBatch, prepareRemoval } from '../../../../src/store/json/group.ts'
import { LineBuffer } from '../../../../src/store/json/line-buffer.ts'
import { RunHeads } from '../../../../src/store/json/run-heads.ts'
import { epochOf, segmentPath } from '../../../../src/store/json/segment-chain.ts'
import type { DropRecord, SegmentEnd } from '../../../../src/store/json/segment-line.ts'
import { encodeHeader, encodePrevious } from '../../../../src/store/json/segment-line.ts'
import { replaceFile } from '../../../../src/store/json/whole-file.ts'
import { ModelDisk } from '../../../support/disk-model/model-disk.ts'

export const journal = '/journal'

const owner = { host: 'ship', boot: 'boot-1', pidNamespace: 'pid:[1]', pid: 1, started: '1', instance: 'before', since: 1 }

/** The first line of a segment. */
export function headerLine(segment: string, instance = owner.instance): string {
  const header = { format: 1, store: 'store-1', epoch: epochOf(segment), segment: Number(segment.slice(9)) }
  return encodeHeader({ ...header, owner: { ...owner, instance } })
}

/** The tombstone of a run, which is at `seq` then. */
export function tombstone(run: string, seq: number): PreparedBatch {
  return prepareRemoval(run, seq, 7)
}

/** A journal on a disk in memory, of which each segment is written by hand. */
export class HandwrittenJournal {
  readonly disk: ModelDisk
  readonly #heads = new RunHeads()
  readonly #hashes = new Map<string, string>()

  /** `fault` is asked at every operation; while a segment is written by hand it has to say nothing. */
  constructor(fault?: ConstructorParameters<typeof ModelDisk>[1]) {
    this.disk = new ModelDisk(undefined, fault)
  }

  /** Writes a segment as its owner would, each batch with a write of its own; gives where it ends. */
  async segment(
    segment: string,
    {
      previous = [],
      dropped,
      batches = [],
    }: {
      readonly previous?: readonly SegmentEnd[]
      readonly dropped?: DropRecord
      readonly batches?: readonly (Batch | PreparedBatch)[]
    } = {},
  ): Promise<SegmentEnd> {
    if (dropped !== undefined) this.#heads.foldDrop(dropped, segment, false)
    await this.put(segment, headerLine(segment) + encodePrevious(previous, dropped && { dropped }))
    return this.append(segment, ...batches)
  }

  /** Goes on in a segment; gives where it ends now. */
  async append(segment: string, ...batches: readonly (Batch | PreparedBatch)[]): Promise<SegmentEnd> {
    const buffer = new LineBuffer()
    const parts = [this.bytes(segment) ?? Buffer.alloc(0)]
    let end = parts[0]?.length ?? 0
    for (const batch of batches) {
      const group = assembleGroup(['lines' in batch ? batch : prepareBatch(batch, 1)], this.#heads, end, buffer)
      for (const line of group.lines) {
        this.#heads.foldLine(line, segment)
        this.#hashes.set(`${line.run} ${line.last}`, line.hash)
      }
      parts.push(Buffer.from(group.bytes))
      end += group.bytes.length
    }
    await this.put(segment, Buffer.concat(parts))
    return { segment, end }
  }

  /** Writes a segment's file anew, as it is given. */
  async put(segment: string, bytes: string | Buffer): Promise<void> {
    await this.disk.makeFolder(journal)
    await replaceFile(this.disk, segmentPath(journal, segment), Buffer.from(bytes), 'by-hand')
    this.disk.calls.length = 0
    this.disk.steps.length = 0
  }

  bytes(segment: string): Buffer | undefined {
    return this.disk.tree.bytes(segmentPath(journal, segment))
  }

  hash(run: string, seq: number): string | undefined {
    return this.#hashes.get(`${run} ${seq}`)
  }

  /** The segments that are there, without their extension. */
  segments(): readonly string[] {
    return this.disk.tree.list(journal).map((name) => name.replace('.jsonl', ''))
  }

  /** How often something was asked of the disk since the journal was written by hand. */
  asked(operation: (typeof this.disk.calls)[number]['operation'], segment = ''): number {
    return this.disk.calls.filter((call) => call.operation === operation && call.path.includes(segment)).length
  }
}
