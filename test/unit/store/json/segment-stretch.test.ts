import { expect, test } from 'vitest'
import { encodeClosed, encodeCut, encodePrevious, entryBody, entryTop } from '../../../../src/store/json/segment-line.ts'
import { LineBuffer } from '../../../../src/store/json/line-buffer.ts'
import type { SegmentItem, SegmentStretch } from '../../../../src/store/json/segment-parse.ts'
import { parseSegment, pieces } from '../../../../src/store/json/segment-parse.ts'

/** A line of a batch; `offset` where it begins a write. */
function line(run: string, seq: number, batch: readonly [number, number] = [1, 1], offset?: number, more: object = {}): string {
  const buffer = new LineBuffer()
  const place = { run, seq, last: seq, prev: 'ab', batch, ...(offset !== undefined && { offset }) }
  buffer.add(entryTop(place), entryBody({ entries: [JSON.stringify({ seq, ...more })] }))
  return buffer.bytes.toString()
}

/** Writes, one behind the other: each line is made with the offset at which it comes to stand, where it begins a write. */
function written(...writes: readonly ((offset: number) => string)[]): string {
  return writes.reduce((text, write) => text + write(Buffer.byteLength(text)), '')
}

const parsed = (text: string, { base = 0, settled = false } = {}): SegmentStretch =>
  parseSegment(Buffer.from(text), base, settled)

/** Items as one would say them. */
function said(items: readonly SegmentItem[]): readonly string[] {
  return items.map((item) => {
    if (item.kind === 'batch') return item.lines.map(({ run, seq, byte }) => `${run}${seq}@${byte}`).join('+')
    if (item.kind === 'control') return `${item.line.kind}@${item.byte}`
    return `${item.kind}@${item.byte}${item.run === undefined ? '' : ` of ${item.run}`}${item.text === '' ? '' : `: ${item.text}`}`
  })
}

const one = (offset: number) => line('a', 1, [1, 1], offset)
const two = (offset: number) => line('b', 1, [1, 2], offset) + line('b', 2, [2, 2])
const three = (offset: number) => line('a', 2, [1, 1], offset)

test('ST4 batches are given with the place of each line, and the end behind the last', () => {
  const text = written(one, two, three)
  const [first, second] = [one(0).length, written(one, two).length]
  const { items, end, synced } = parsed(text)
  expect(said(items)).toEqual(['a1@0', `b1@${first}+b2@${first + line('b', 1, [1, 2], first).length}`, `a2@${second}`])
  // A write shows that what stands before it was synced, not that it was itself.
  expect([end, synced]).toEqual([text.length, second])
})

test('ST4 offsets count from where the stretch begins', () => {
  const text = written(one, two)
  const from = one(0).length
  const { items, end, synced } = parsed(text.slice(from), { base: from })
  expect(said(items)[0]).toMatch(new RegExp(`^b1@${from}\\+`))
  expect([items.length, end, synced]).toEqual([1, text.length, from])
  expect(parsed('', { base: 7 })).toEqual({ items: [], end: 7, synced: 7 })
})

test('ST4 a batch that is not whole at the end is a tail; settled, it is what stands of it, and damage of its run', () => {
  const text = written(one, (offset) => line('b', 1, [1, 3], offset) + line('b', 2, [2, 3]))
  const from = one(0).length
  expect(parsed(text)).toMatchObject({ items: [{ kind: 'batch' }], end: from, synced: from })
  const { items, end, synced } = parsed(text, { settled: true })
  expect(said(items).slice(1)).toEqual([expect.stringMatching(/^b1@\d+\+b2@\d+$/), `bad@${text.length} of b`])
  expect([end, synced]).toEqual([text.length, text.length])
})

test('ST4 bytes that do not read are a tail until a later write, a clean close or the recorded end confirms them', () => {
  const spoilt = written(one, () => 'spoilt\n')
  const from = one(0).length
  expect(said(parsed(spoilt).items)).toEqual(['a1@0'])
  expect(said(parsed(written(() => spoilt, two)).items)).toEqual(['a1@0', `bad@${from}: spoilt`, expect.stringMatching(/^b1/)])
  expect(
    said(
      parsed(
        written(
          () => spoilt,
          (offset) => encodeClosed(1, offset),
        ),
      ).items,
    ),
  ).toEqual(['a1@0', `bad@${from}: spoilt`, `closed@${spoilt.length}`])
  expect(said(parsed(spoilt, { settled: true }).items)).toEqual(['a1@0', `bad@${from}: spoilt`])
})

test('ST4 what stands in one write with bytes that do not read is held with them', () => {
  const tail = written(
    one,
    (offset) => `${line('b', 1, [1, 1], offset)}spoilt\n${line('c', 1)}${encodeCut({ run: 'a', seq: 1, hash: 'x' })}`,
  )
  const { items, end } = parsed(tail)
  expect(said(items)).toEqual(['a1@0', expect.stringMatching(/^b1@/)])
  expect(end).toBe(tail.indexOf('spoilt'))
  expect(said(parsed(tail, { settled: true }).items).slice(2)).toEqual([
    `bad@${end}: spoilt`,
    `c1@${end + 7}`,
    expect.stringMatching(/^cut@/),
  ])
})

test('ST4 a line that does not follow breaks its batch: another run, another size, another place, or none before it', () => {
  const begin = line('b', 1, [1, 3], 0)
  const broken = (text: string) => said(parsed(text, { settled: true }).items).map((item) => item.replace(/: .*/, ''))
  for (const [odd, name] of [
    [line('c', 2, [2, 3]), 'another run'],
    [line('b', 2, [2, 2]), 'another size'],
    [line('b', 3, [3, 3]), 'another place'],
  ] as const)
    expect(broken(begin + odd), name).toEqual(['b1@0', `bad@${begin.length} of b`, `bad@${begin.length}`])
  expect(broken(line('b', 2, [2, 3]))).toEqual(['bad@0'])
  // One that begins anew ends the batch before, and counts.
  expect(broken(begin + line('c', 1))).toEqual(['b1@0', `bad@${begin.length} of b`, `c1@${begin.length}`])
  expect(broken(begin + line('b', 2, [2, 3]) + line('b', 3, [3, 3]))).toEqual([expect.stringMatching(/^b1@0\+b2@\d+\+b3@\d+$/)])
})

test('ST4 a line of control breaks a batch too, and is held behind what does not read', () => {
  const begin = line('b', 1, [1, 2], 0)
  const cut = encodeCut({ run: 'a', seq: 1, hash: 'x' })
  expect(said(parsed(begin + cut, { settled: true }).items)).toEqual(['b1@0', `bad@${begin.length} of b`, `cut@${begin.length}`])
  expect(parsed(cut)).toMatchObject({ items: [{ kind: 'control', byte: 0, line: { kind: 'cut' } }], end: cut.length, synced: 0 })
})

test('ST4 a write that does not stand where it was written shows what is missing, or was put in', () => {
  const gone = one(0) + three(500)
  expect(said(parsed(gone).items)).toEqual(['a1@0', `bad@${one(0).length}`, `a2@${one(0).length}`])
  // Those behind it, moved as far, are told once.
  const far = one(0).length
  const shifted = one(0) + three(far + 50) + line('a', 3, [1, 1], far + 50 + three(far + 50).length)
  expect(said(parsed(shifted).items)).toEqual(['a1@0', `bad@${far}`, `a2@${far}`, expect.stringMatching(/^a3@/)])
  // Bytes that do not read account for it themselves.
  const edited = `${one(0)}spoilt\n${three(far + 9)}`
  expect(said(parsed(edited).items)).toEqual(['a1@0', `bad@${far}: spoilt`, `a2@${far + 7}`])
})

test('ST4 a clean close that does not stand where it was written shows the same', () => {
  const at = one(0).length
  expect(said(parsed(one(0) + encodeClosed(1, at)).items)).toEqual(['a1@0', `closed@${at}`])
  expect(said(parsed(one(0) + encodeClosed(1, at + 5)).items)).toEqual(['a1@0', `bad@${at}`, `closed@${at}`])
  expect(parsed(one(0) + encodeClosed(1, at)).synced).toBe(at)
})

test('ST5 ST6 what a segment took over from the one before stands at other offsets, up to where its record says', () => {
  const adopted = line('a', 1, [1, 1], 900) + line('a', 2, [1, 1], 1_200)
  const record = encodePrevious([{ segment: '00000001.0001', end: 9 }], { adopted: adopted.length })
  const own = (offset: number) => line('a', 3, [1, 1], offset)
  const text = written(() => record + adopted, own)
  const kinds = (of: string) => parsed(of).items.map(({ kind }) => kind)
  expect(kinds(text)).toEqual(['control', 'batch', 'batch', 'batch'])
  // Behind it, a line has to stand where it was written.
  expect(kinds(record + adopted + own(5))).toEqual(['control', 'batch', 'batch', 'bad', 'batch'])
  expect(kinds(encodePrevious([]) + adopted).slice(0, 2)).toEqual(['control', 'bad'])
})

test('ST4 a line without its line feed is no line, and an empty one is none', () => {
  const text = one(0)
  expect(parsed(text.slice(0, -1))).toEqual({ items: [], end: 0, synced: 0 })
  expect(said(parsed(text.slice(0, -1), { settled: true }).items)).toEqual([`bad@0: ${text.slice(0, -1)}`])
  expect(said(parsed(`\n${one(1)}\n`, { settled: true }).items)).toEqual(['bad@0', 'a1@1', `bad@${1 + text.length}`])
})

test('ST4 of bytes that do not read so many are kept as may tell whose they were', () => {
  const [item] = parsed(`${'x'.repeat(10_000)}\n`, { settled: true }).items
  expect(item).toMatchObject({ kind: 'bad', text: 'x'.repeat(400) })
})

test('ST4 where line feeds are damaged the beginnings of all the lines are kept, up to a hundred, and nothing that only looks like one', () => {
  const textOf = (bytes: string) => {
    const [item, ...more] = parsed(`${bytes}\n`, { settled: true }).items
    expect([item?.kind, more]).toEqual(['bad', []])
    return item?.kind === 'bad' ? item.text : ''
  }
  const topOf = (one: string) => one.trimEnd().slice(0, 400)
  const merged = (...lines: readonly string[]) => textOf(lines.map((one) => one.trimEnd()).join('#'))
  const quoting = { run: 'zz', seq: 1, last: 1, prev: '', entries: [{ run: 'yy' }] }
  const [a, b, c] = [line('a', 1, [1, 1], 0, { text: 'x'.repeat(6_000) }), line('b', 1, [1, 1], 0, { quoting }), line('c', 1)]
  expect(merged(a, b, c).split('\n')).toEqual([a, b, c].map(topOf))
  expect(merged(b, a).split('\n')).toEqual([b, a].map(topOf))
  // Wherever the second one begins.
  for (let chars = 0; chars < 5_000; chars += 97) {
    const first = line('a', 1, [1, 1], 0, { text: 'x'.repeat(chars) })
    expect(merged(first, b).split('\n'), `behind ${chars}`).toEqual([first, b].map(topOf))
  }
  // What an entry quotes begins no line, and neither does what is damaged itself.
  const damaged = b.replace('"yy"', '"xx"').trimEnd()
  expect(textOf(damaged)).toBe(topOf(damaged))
  expect(textOf(`${a.trimEnd()}#${damaged}`)).toBe(topOf(a))
  const nested = line('d', 1, [1, 1], 0, { many: Array.from({ length: 200 }, () => ({ run: 'r' })) })
  expect(merged(a, nested).split('\n')).toEqual([a, nested].map(topOf))
  const many = Array.from({ length: 300 }, (_, index) => line(`r${index}`, 1))
  const [first, ...tops] = merged(...many).split('\n')
  expect([first?.length, tops]).toEqual([400, many.slice(-100).map(topOf)])
})

test('ST7 a long segment is read in pieces of whole lines', () => {
  const lines = Array.from({ length: 3_000 }, (_, n) => `${'x'.repeat(400)}${n}\n`).join('')
  const parts = [...pieces(Buffer.from(lines))].map(String)
  expect(parts.join('')).toBe(lines)
  expect(parts.length).toBe(3)
  expect(parts.every((part) => part.endsWith('\n') && part.length <= 512 * 1024 + 500)).toBe(true)
  expect([...pieces(Buffer.from('a\nb'))].map(String)).toEqual(['a\nb'])
  expect([...pieces(Buffer.alloc(0))]).toEqual([])
})
