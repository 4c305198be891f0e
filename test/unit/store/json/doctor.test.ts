import { mkdir, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join, relative } from 'node:path'
import { crc32 } from 'node:zlib'
import { expect, test } from 'vitest'
import { inspectStore, repairStore, verifyRun } from '../../../../src/fleet/doctor.ts'
import type { Store } from '../../../../src/ports/store.ts'
import type { StoreFinding } from '../../../../src/store/json/doctor/finding.ts'
import { taken } from '../../../../src/testing/store-checks/sample.ts'
import { afterCrash, batch, edit, editLines, seqs, storeFolder } from './store-folder.ts'

const first = '00000001.0001.jsonl'

/** A store with two runs, and what belongs to them. */
async function filled(): Promise<{ readonly folder: string; readonly sha256: string; store(): Store }> {
  const { folder, store } = await storeFolder()
  const owner = store()
  await owner.open({ instance: 'owner' })
  const { sha256 } = await owner.blobs.put('run-a', Buffer.from('what it wrote'))
  const log = { state: 'artifact', kind: 'log', path: 'output.log', checksum: `sha256:${sha256}` }
  await owner.append([batch('run-a', 0, 2, { status: 'running' }), batch('run-b', 0, 2, { status: 'running' })])
  await owner.append([{ run: 'run-a', after: 2, entries: [{ seq: 3, events: [log] }] }, batch('run-b', 2, 2)])
  await owner.append([batch('run-a', 3, 2), batch('run-gone', 0, 1, { status: 'completed' })])
  await owner.saveSnapshot('run-a', taken(5, [{ key: 'run', seq: 5, value: 1 }]))
  await owner.remove('run-gone')
  await owner.close()
  return { folder, sha256, store }
}

const spoilEntry = (folder: string, run: string, seq: number) =>
  edit(folder, first, (bytes) => {
    const at = bytes.indexOf(`{"run":"${run}","seq":${seq},`)
    return bytes.fill('#', at + 60, at + 61)
  })

/** Everything in the folder: contents, and when they changed. */
async function everything(folder: string): Promise<Record<string, string>> {
  const all: Record<string, string> = {}
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name)
    const facts = await stat(path)
    all[relative(folder, path)] = `${facts.mtimeMs} ${entry.isFile() ? await readFile(path, 'base64') : ''}`
  }
  return all
}

const said = (findings: readonly StoreFinding[]) => findings.map(({ weight, part, message }) => `${weight} ${part}: ${message}`)

test('VE7 a whole run verifies, with a head that changes with every entry', async () => {
  const { folder, store } = await filled()
  const whole = await verifyRun({ folder, run: 'run-a' })
  expect(whole).toEqual({
    run: 'run-a',
    seq: 5,
    head: expect.stringMatching(/^[0-9a-f]{64}$/) as string,
    blobs: 1,
    elsewhere: 0,
    findings: [],
  })
  const owner = store()
  await owner.open({ instance: 'owner' })
  await owner.append([batch('run-a', 5)])
  const later = await verifyRun({ folder, run: 'run-a', head: whole.head })
  expect(later).toMatchObject({ seq: 6, findings: [] })
  expect(later.head).not.toBe(whole.head)
  await owner.append([batch('run-a', 6)])
  await expect(verifyRun({ folder, run: 'run-gone' })).rejects.toMatchObject({ code: 'unknown_run' })
  await expect(verifyRun({ folder, run: 'nobody' })).rejects.toMatchObject({ code: 'unknown_run' })
})

test('VE7 whoever rewrites the history up to its end is found by a head that was kept elsewhere', async () => {
  const { folder } = await filled()
  const { head } = await verifyRun({ folder, run: 'run-b' })
  await editLines(folder, first, (lines) =>
    lines.map((line) => {
      if (!line.startsWith('{"run":"run-b","seq":4')) return line
      const body = line.slice(0, line.lastIndexOf(',"crc":"')).replace('run-b 4', 'run-b x')
      return `${body},"crc":"${crc32(body).toString(16).padStart(8, '0')}"}`
    }),
  )
  expect((await verifyRun({ folder, run: 'run-b' })).findings).toEqual([])
  expect(said((await verifyRun({ folder, run: 'run-b', head })).findings)).toEqual([expect.stringContaining(head)])
})

test.for<[string, (folder: string) => Promise<void>, Partial<StoreFinding>, number]>([
  ['a changed bit', (folder) => spoilEntry(folder, 'run-a', 4), { line: 10 }, 3],
  ['a changed bit in its last line', (folder) => spoilEntry(folder, 'run-a', 5), { line: 11 }, 4],
  [
    'a line that is gone',
    (folder) => editLines(folder, first, (lines) => lines.filter((line) => !line.startsWith('{"run":"run-a","seq":3'))),
    { line: 9, message: expect.stringContaining('entry 4 stands where 3 is due') as string },
    2,
  ],
  [
    'half a batch',
    (folder) => editLines(folder, first, (lines) => lines.filter((line) => !line.startsWith('{"run":"run-a","seq":5'))),
    { message: expect.stringContaining('lines of the batch are missing') as string },
    4,
  ],
  [
    'a line that was rewritten with its checksum',
    (folder) =>
      editLines(folder, first, (lines) =>
        lines.map((line) => {
          if (!line.startsWith('{"run":"run-a","seq":4')) return line
          const body = line.slice(0, line.lastIndexOf(',"crc":"')).replace('run-a 4', 'run-a x')
          return `${body},"crc":"${crc32(body).toString(16).padStart(8, '0')}"}`
        }),
      ),
    { line: 11, message: expect.stringContaining('does not carry the hash') as string },
    4,
  ],
])('VE7 verifying finds %s, with file, line and byte', async ([, spoil, wanted, seq]) => {
  const { folder } = await filled()
  await spoil(folder)
  const { findings, ...rest } = await verifyRun({ folder, run: 'run-a' })
  expect(findings).toHaveLength(1)
  expect(findings[0]).toMatchObject({
    part: 'journal',
    weight: 'lost',
    file: join(folder, 'journal', first),
    byte: expect.any(Number) as number,
    ...wanted,
  })
  expect(rest.seq).toBe(seq)
  expect((await verifyRun({ folder, run: 'run-b' })).findings).toEqual([])
})

test('VE7 AR2 verifying compares the bytes that entries name', async () => {
  const { folder, sha256 } = await filled()
  const blob = join(folder, 'runs', 'run-a', 'blobs', sha256)
  await writeFile(blob, 'other')
  expect(await verifyRun({ folder, run: 'run-a' })).toMatchObject({ findings: [{ part: 'blobs', weight: 'lost', file: blob }] })
  await rm(blob)
  expect(said((await verifyRun({ folder, run: 'run-a' })).findings)).toEqual([expect.stringContaining('missing')])
})

test('ST4 a whole folder has nothing wrong, also while its owner writes', async () => {
  const { folder, store } = await filled()
  expect(await inspectStore({ folder })).toMatchObject({
    owner: undefined,
    format: 2,
    segments: 1,
    runs: { open: 2, ended: 0, removed: 1 },
    findings: [],
  })
  const owner = store()
  await owner.open({ instance: 'owner' })
  const writing = (async () => {
    for (let after = 5; after < 200; after += 1) await owner.append([batch('run-a', after)])
  })()
  for (let look = 0; look < 5; look += 1) {
    const { findings, owner: seen } = await inspectStore({ folder })
    expect(findings).toEqual([])
    expect(seen).toMatchObject({ pid: process.pid, alive: true })
  }
  await writing
})

test.for<[string, (folder: string, sha256: string) => Promise<unknown>, string]>([
  ['damage', (folder) => spoilEntry(folder, 'run-a', 3), 'lost journal: The history of run run-a breaks after entry 2'],
  [
    'an index that cannot be read',
    (folder) => writeFile(join(folder, 'index.json'), '{'),
    'wrong index: The index does not read',
  ],
  ['no index', (folder) => rm(join(folder, 'index.json')), 'note index: There is no index'],
  [
    'an index that tells another story',
    async (folder) => {
      const path = join(folder, 'index.json')
      const text = await readFile(path, 'utf8')
      const data = text.slice(text.indexOf(',\n"data":') + 9, -2).replace('"name":"run-a"', '"name":"other"')
      const crc = crc32(data).toString(16).padStart(8, '0')
      await writeFile(
        path,
        `${text.slice(0, text.indexOf(',\n"data":')).replace(/"crc":"\w+"/, `"crc":"${crc}"`)},\n"data":${data}}\n`,
      )
    },
    'wrong index: The index does not say of run run-a',
  ],
  [
    'a snapshot that is not whole',
    (folder) => rm(join(folder, 'runs', 'run-a', 'snapshot'), { recursive: true }),
    'wrong snapshots: The snapshot of run-a',
  ],
  [
    'a blob with other bytes',
    (folder, sha256) => writeFile(join(folder, 'runs', 'run-a', 'blobs', sha256), 'other'),
    'lost blobs: A blob does not hold',
  ],
  [
    'a missing blob',
    (folder, sha256) => rm(join(folder, 'runs', 'run-a', 'blobs', sha256)),
    'lost blobs: A blob that an entry names is missing',
  ],
  [
    'a blob of nobody',
    (folder) =>
      writeFile(
        join(folder, 'runs', 'run-a', 'blobs', '486ea46224d1bb4fb680f34f7c9ad96a8f24ec88be73ea8e5a6c65260e9cb8a7'),
        'world',
      ),
    'note blobs: A blob is named by no entry',
  ],
  [
    'an unreadable command',
    (folder) => writeFile(join(folder, 'inbox', 'cmd-1.json'), '{'),
    'wrong inbox: A posted command cannot be read',
  ],
  [
    'an old answer',
    async (folder) => {
      const path = join(folder, 'inbox', 'cmd-1.answer.json')
      await writeFile(path, '{}')
      await utimes(path, 1, 1)
    },
    'note inbox: An answer was never fetched',
  ],
  ['a temporary file', (folder) => writeFile(join(folder, 'index.json.1-t.tmp'), ''), 'note leavings: A temporary file was left'],
  [
    'the folder of a removed run',
    (folder) => mkdir(join(folder, 'runs', 'run-gone', 'attempts'), { recursive: true }),
    'note leavings: The folder of run run-gone is there',
  ],
])('ST4 looking finds %s, and changes nothing', async ([, spoil, wanted]) => {
  const { folder, sha256 } = await filled()
  await spoil(folder, sha256)
  const before = await everything(folder)
  const { findings } = await inspectStore({ folder })
  expect(said(findings)).toEqual(expect.arrayContaining([expect.stringContaining(wanted)]))
  expect(findings.length).toBeLessThanOrEqual(4)
  await verifyRun({ folder, run: 'run-b' })
  expect(await everything(folder)).toEqual(before)
})

test('ST4 a missing segment is found, and given up only by a repair', async () => {
  const { folder, store } = await storeFolder()
  const owner = store({ segmentBytes: 2000 })
  await owner.open({ instance: 'owner' })
  for (let after = 0; after < 30; after += 1) await owner.append([batch('run-a', after, 1, { status: 'running' })])
  await owner.close()
  await rm(join(folder, 'journal', '00000001.0002.jsonl'))
  const { findings } = await inspectStore({ folder })
  expect(findings).toContainEqual(
    expect.objectContaining({ weight: 'lost', file: join(folder, 'journal', '00000001.0002.jsonl') }),
  )
})

test('ST4 a repair cuts a run off behind its last good entry, keeps the rest aside, and the run goes on', async () => {
  const { folder, store } = await filled()
  const whole = (await readFile(join(folder, 'journal', first), 'utf8')).split('\n')
  await spoilEntry(folder, 'run-a', 3)
  const spoilt = (await readFile(join(folder, 'journal', first), 'utf8')).split('\n')
  const { lost, inspection } = await repairStore({ folder })
  const aside = join(folder, 'aside', 'run-a-after-2.jsonl')
  expect(lost).toEqual([
    {
      run: 'run-a',
      after: 2,
      file: join(folder, 'journal', first),
      line: 7,
      byte: expect.any(Number) as number,
      aside,
      lines: 3,
    },
  ])
  expect((await readFile(aside, 'utf8')).split('\n')).toEqual([
    spoilt[6],
    ...whole.filter((line) => /"run-a","seq":[45]/.test(line)),
    '',
  ])
  expect(inspection.findings.filter(({ weight }) => weight !== 'note')).toEqual([])
  const owner = store()
  expect((await owner.open({ instance: 'owner' })).warnings).toEqual([])
  expect(await seqs(owner, 'run-a')).toEqual([1, 2])
  await owner.append([batch('run-a', 2, 3)])
  expect(await seqs(owner, 'run-a')).toEqual([1, 2, 3, 4, 5])
  expect(await owner.loadSnapshot('run-a')).toBeUndefined()
  await owner.close()
  await rm(join(folder, 'index.json'))
  for (const reader of [store(), owner]) {
    expect(await reader.read('run-a', { from: 3, limit: 9 })).toMatchObject([
      { text: 'run-a 3' },
      { text: 'run-a 4' },
      { text: 'run-a 5' },
    ])
    expect(await seqs(reader, 'run-b')).toEqual([1, 2, 3, 4])
  }
  expect(await verifyRun({ folder, run: 'run-a' })).toMatchObject({ seq: 5, findings: [{ weight: 'note' }] })
})

test('ST4 a run of which nothing can be read is removed by a repair', async () => {
  const { folder, store } = await filled()
  await spoilEntry(folder, 'run-b', 1)
  const { lost } = await repairStore({ folder })
  expect(lost).toMatchObject([{ run: 'run-b', after: 0 }])
  const owner = store()
  expect((await owner.open({ instance: 'owner' })).warnings).toEqual([])
  await expect(owner.append([batch('run-b', 0)])).rejects.toMatchObject({ code: 'run_exists' })
  expect(await seqs(owner, 'run-a')).toEqual([1, 2, 3, 4, 5])
})

test('ST4 a repair mends what lies beside the journal', async () => {
  const { folder, store } = await filled()
  await writeFile(join(folder, 'index.json'), '{')
  await rm(join(folder, 'runs', 'run-a', 'snapshot'), { recursive: true })
  await writeFile(join(folder, 'inbox', 'cmd-1.json'), '{')
  await writeFile(join(folder, 'runs', 'run-a', 'blobs', 'x.1-t.tmp'), '')
  await mkdir(join(folder, 'runs', 'run-gone', 'attempts'), { recursive: true })
  const { done, lost, inspection } = await repairStore({ folder })
  expect(lost).toEqual([])
  expect(done).toEqual([
    expect.stringContaining('snapshot of run-a was dropped'),
    expect.stringContaining('x.1-t.tmp was removed'),
    expect.stringContaining('put aside'),
    expect.stringContaining('index was made again'),
  ])
  expect(said(inspection.findings)).toEqual([expect.stringContaining('note inbox')])
  expect((await store().runs()).map(({ id }) => id)).toEqual(['run-b', 'run-a'])
  expect(await readdir(join(folder, 'runs'))).toEqual(['run-a'])
})

test('ST4 a torn tail is cut by a repair and kept aside', async () => {
  const { folder, store } = await storeFolder()
  const crashed = store({ host: afterCrash({ host: hostname(), boot: 'earlier' }) })
  await crashed.open({ instance: 'crashed' })
  await crashed.append([batch('run-a', 0, 2, { status: 'running' })])
  await edit(folder, first, (bytes) => Buffer.concat([bytes, Buffer.from('{"run":"run-a","se')]))
  expect(said((await inspectStore({ folder })).findings)).toContainEqual(
    expect.stringContaining('wrong journal: 18 bytes at the end'),
  )
  const { done, inspection } = await repairStore({ folder })
  expect(done).toEqual([expect.stringContaining('A torn tail'), expect.stringContaining('index')])
  expect(said(inspection.findings)).toEqual([expect.stringContaining('note journal: A torn tail was cut')])
})

test('ST6 a repair is refused while somebody has the store, with the owner named, and changes nothing', async () => {
  const { folder, store } = await filled()
  const owner = store()
  await owner.open({ instance: 'the-owner' })
  const before = await everything(folder)
  await expect(repairStore({ folder })).rejects.toMatchObject({
    code: 'store_owned',
    message: expect.stringContaining('the-owner') as string,
  })
  expect(await everything(folder)).toEqual(before)
})

test('ST4 a folder that holds no store is not made one', async () => {
  const { folder } = await storeFolder()
  await expect(inspectStore({ folder })).rejects.toMatchObject({ code: 'unreadable_file' })
  await expect(repairStore({ folder })).rejects.toMatchObject({ code: 'unreadable_file' })
  expect(await readdir(folder)).toEqual([])
})

test('ST8 a newer store is looked at by nobody', async () => {
  const { folder } = await filled()
  await edit(folder, first, (bytes) => Buffer.from(bytes.toString().replace('"format":2', '"format":3')))
  const before = await everything(folder)
  for (const look of [inspectStore, repairStore, (options: { folder: string }) => verifyRun({ ...options, run: 'run-a' })])
    await expect(look({ folder })).rejects.toMatchObject({ code: 'store_too_new' })
  expect(await everything(folder)).toEqual(before)
})
