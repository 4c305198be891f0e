import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { parseSegment } from '../../../../src/store/json/segment-parse.ts'
import { encodeClosed } from '../../../../src/store/json/segment-line.ts'
import { createSegment, placeOf } from '../../../../src/store/json/segment-writer.ts'
import { scratch } from '../../../fixtures/scratch.ts'
import { unsyncedDisk } from './store-folder.ts'

const owner = { host: 'h', boot: null, pidNamespace: null, pid: 1, started: null, instance: 'i', since: 1 }
const header = { format: 1, store: 's', epoch: 3, segment: 2, owner }
const previous = [{ segment: '00000003.0001', end: 70 }]

test('ST6 a segment begins with who wrote it, where the one before ends, and what is taken over from there', async () => {
  await using folder = await scratch()
  const journal = folder.path
  const adopted = Buffer.from(encodeClosed(1, 900))
  const dropped = { segments: ['00000001.0001'], removed: [] }
  const made = await createSegment({ disk: unsyncedDisk, journal, roomBytes: 0 }, header, previous, adopted, 'u', dropped)
  await made.file.close()
  const bytes = await readFile(join(journal, '00000003.0002.jsonl'))
  expect(placeOf(made)).toEqual({ segment: '00000003.0002', byte: bytes.length })
  expect(bytes.subarray(made.adoptedAt).toString()).toBe(adopted.toString())
  const { items } = parseSegment(bytes.subarray(0, made.adoptedAt), 0, true)
  expect(items).toMatchObject([
    { kind: 'control', line: { kind: 'header', header } },
    { kind: 'control', line: { kind: 'previous', previous, adopted: adopted.length, dropped } },
  ])
})

test('ST6 the name of a segment is taken once, and what follows is appended behind its beginning', async () => {
  await using folder = await scratch()
  const journal = folder.path
  const parts = { disk: unsyncedDisk, journal, roomBytes: 0 }
  const made = await createSegment(parts, header, previous, Buffer.alloc(0), 'u')
  expect(made.adoptedAt).toBe(made.end)
  await expect(createSegment(parts, header, [], Buffer.alloc(0), 'v')).rejects.toThrow('00000003.0002.jsonl exists already')
  made.file.append(Buffer.from('more\n'))
  await made.file.close()
  const bytes = await readFile(join(journal, '00000003.0002.jsonl'))
  expect(bytes.subarray(made.end).toString()).toBe('more\n')
  const { items } = parseSegment(bytes.subarray(0, made.end), 0, true)
  expect(items[1]).not.toHaveProperty('line.dropped')
})
