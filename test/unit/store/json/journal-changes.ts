import type { FileTree } from '../../../support/disk-model/file-tree.ts'
import { modelFolder } from './witness.ts'

export const journalFolder = `${modelFolder}/journal`

/** One way in which a journal may have come to be otherwise than it was written. */
interface JournalChange {
  readonly name: string
  readonly tree: FileTree
}

const sector = 512

/** Makes each `stride`th change of a kind. */
export type Changes = (tree: FileTree, stride: number) => Generator<JournalChange>

export const journalChanges = {
  'cut at a byte': function* (tree, stride) {
    for (const { path, name, bytes } of segmentsOf(tree))
      for (let cut = 0; cut < bytes.length; cut += stride)
        yield { name: `${name} cut at ${cut}`, tree: changed(tree, path, bytes.subarray(0, cut)) }
  },
  'with a flipped bit': function* (tree, stride) {
    for (const { path, name, bytes } of segmentsOf(tree))
      for (let bit = 0; bit < bytes.length * 8; bit += stride) {
        const flipped = Buffer.from(bytes)
        flipped.writeUInt8(flipped.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3)
        yield { name: `${name} with bit ${bit & 7} of byte ${bit >> 3} flipped`, tree: changed(tree, path, flipped) }
      }
  },
  'with a zero sector': function* (tree) {
    for (const { path, name, bytes } of segmentsOf(tree))
      for (let start = 0; start < bytes.length; start += sector)
        yield {
          name: `${name} zero from ${start}`,
          tree: changed(tree, path, Buffer.from(bytes).fill(0, start, Math.min(start + sector, bytes.length))),
        }
  },
  'with a line dropped or repeated': function* (tree) {
    for (const { path, name, lines } of segmentsOf(tree))
      for (const [index, line] of lines.entries()) {
        yield { name: `${name} without line ${index + 1}`, tree: changed(tree, path, joined(lines.toSpliced(index, 1))) }
        for (const at of [index, lines.length])
          yield {
            name: `${name} with line ${index + 1} again before line ${at + 1}`,
            tree: changed(tree, path, joined(lines.toSpliced(at, 0, line))),
          }
      }
  },
  'with two lines dropped or swapped': function* (tree) {
    for (const { path, name, lines } of segmentsOf(tree))
      for (const [one, first] of lines.entries())
        for (const [other, second] of lines.entries()) {
          if (other <= one) continue
          const pair = `lines ${one + 1} and ${other + 1}`
          yield {
            name: `${name} without ${pair}`,
            tree: changed(tree, path, joined(lines.toSpliced(other, 1).toSpliced(one, 1))),
          }
          yield {
            name: `${name} with ${pair} swapped`,
            tree: changed(tree, path, joined(lines.with(one, second).with(other, first))),
          }
        }
  },
  'with a segment that is gone, empty or there twice': function* (tree) {
    const all = segmentsOf(tree)
    for (const { path, name, bytes } of all) {
      yield { name: `${name} gone`, tree: changed(tree, path, undefined) }
      yield { name: `${name} empty`, tree: changed(tree, path, Buffer.alloc(0)) }
      for (const copy of [next(name, 'segment'), next(name, 'epoch'), next(all.at(-1)?.name ?? '', 'segment')])
        if (copy !== name) yield { name: `${name} as ${copy} as well`, tree: changed(tree, `${journalFolder}/${copy}`, bytes) }
    }
  },
} satisfies Readonly<Record<string, Changes>>

/** The same journal with one file changed. */
function changed(tree: FileTree, path: string, bytes: Buffer | undefined): FileTree {
  const copy = tree.copy()
  const file = copy.names.get(path) ?? Math.max(...copy.names.values()) + 1
  if (bytes === undefined) copy.names.delete(path)
  else {
    copy.names.set(path, file)
    copy.contents.set(file, bytes)
  }
  return copy
}

function segmentsOf(tree: FileTree) {
  return tree
    .list(journalFolder)
    .filter((name) => name.endsWith('.jsonl'))
    .map((name) => {
      const path = `${journalFolder}/${name}`
      const bytes = tree.bytes(path) ?? Buffer.alloc(0)
      return { name, path, bytes, lines: bytes.toString('latin1').trimEnd().split('\n') }
    })
}

function joined(lines: readonly string[]): Buffer {
  return Buffer.from(lines.map((line) => `${line}\n`).join(''), 'latin1')
}

/** The name that follows this one, by number or by epoch. */
function next(name: string, part: 'segment' | 'epoch'): string {
  const [epoch, segment] = [Number(name.slice(0, 8)), Number(name.slice(9, 13))]
  const [a, b] = part === 'epoch' ? [epoch + 1, 1] : [epoch, segment + 1]
  return `${String(a).padStart(8, '0')}.${String(b).padStart(4, '0')}.jsonl`
}
