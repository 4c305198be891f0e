import { readFile, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { diskFiles } from '../../../src/host/files.ts'
import { sha256 } from '../../../src/host/sha256.ts'
import type { AttemptPlace } from '../../../src/ports/collector.ts'
import { createCollector } from '../../../src/workspace/collector.ts'
import { keptBlobs } from '../../fixtures/kept-blobs.ts'
import { scratch } from '../../fixtures/scratch.ts'

async function site(logBytes = 1024) {
  const folder = await scratch()
  const place: AttemptPlace = { run_id: 'r1', task_id: 't1', attempt: 1, folder: join(folder.path, 'attempt'), root: folder.path }
  const blobs = keptBlobs()
  const collector = createCollector({ files: diskFiles(), blobs, sha256, limits: { logBytes } })
  return {
    place,
    path: join(folder.path, 'attempt/output.log'),
    folder: folder.path,
    log: (text: string, at = place) => collector.log(at, text),
    finish: (at = place) => collector.finish(at),
    /** The text of the only blob. */
    kept: () => Buffer.from([...blobs.kept.values()].at(-1) ?? []).toString(),
    [Symbol.asyncDispose]: () => folder.remove(),
  }
}

describe('the log of an attempt', () => {
  it('AR5 is an artifact of kind log, with everything that was written', async () => {
    await using here = await site()
    await here.log('one\n')
    await here.log('two\n')

    expect(await here.finish()).toEqual({
      kind: 'log',
      path: 'output.log',
      checksum: `sha256:${sha256(Buffer.from('one\ntwo\n'))}`,
      mime_type: 'text/plain',
      size_bytes: 8,
    })
    expect(here.kept()).toBe('one\ntwo\n')
  })

  it('AR5 can be followed while the attempt runs', async () => {
    await using here = await site()
    await here.log('one\n')

    expect(await readFile(here.path, 'utf8')).toBe('one\n')
  })

  it('AR5 of an attempt that wrote nothing is none', async () => {
    await using here = await site()
    await here.log('')

    expect(await here.finish()).toBeUndefined()
  })

  it('AR5 loses its middle when it is too long, and says how much', async () => {
    await using here = await site(100)
    await here.log(`${'a'.repeat(50)}${'b'.repeat(1_000)}`)
    await here.log('c'.repeat(49))
    await here.log('d')

    const ref = await here.finish()

    expect(here.kept()).toBe(`${'a'.repeat(50)}\n[1000 bytes left out]\n${'c'.repeat(49)}d`)
    expect(ref?.size_bytes).toBe(here.kept().length)
    expect(await readFile(here.path, 'utf8')).toBe(here.kept())
  })

  it('AR5 keeps all that fits, and cuts at the first byte that does not', async () => {
    await using here = await site(100)
    await here.log('a'.repeat(60))
    await here.log('b'.repeat(40))
    await here.finish()
    expect(here.kept()).toBe('a'.repeat(60) + 'b'.repeat(40))

    await here.log('a'.repeat(60), { ...here.place, attempt: 2 })
    await here.log('b'.repeat(41), { ...here.place, attempt: 2 })
    await here.finish({ ...here.place, attempt: 2 })
    expect(here.kept()).toBe(`${'a'.repeat(50)}\n[1 bytes left out]\n${'a'.repeat(9)}${'b'.repeat(41)}`)
  })

  it.each([1, 2, 3, 7, 50, 400])('AR5 is never cut inside a character, when it comes in pieces of %i', async (size) => {
    const characters = Array.from({ length: 400 }, (_, index) => ['a', '\u00fc', '\u20ac', '\u{1f6a2}'][index % 4]!)
    await using here = await site(101)
    for (let at = 0; at < characters.length; at += size) await here.log(characters.slice(at, at + size).join(''))

    await here.finish()

    const whole = characters.join('')
    const [, head = '', count, tail = ''] = /^(.*)\n\[(\d+) bytes left out\]\n(.*)$/s.exec(here.kept()) ?? []
    expect(whole.startsWith(head) && whole.endsWith(tail)).toBe(true)
    expect([head, tail].map((part) => Buffer.byteLength(part)).every((length) => length > 46 && length <= 50)).toBe(true)
    expect(Buffer.byteLength(head + tail) + Number(count)).toBe(Buffer.byteLength(whole))
  })

  it('AR5 goes on when the work spoils its file', async () => {
    await using here = await site()
    await writeFile(join(here.folder, 'precious'), 'untouched')
    await here.log('one\n')
    await here.log('', here.place)
    await diskFiles().removeFolder(here.place.folder)
    await diskFiles().makeFolder(here.place.folder)
    await symlink('../precious', here.path)

    await here.log('two\n')
    await here.finish()

    expect(here.kept()).toBe('one\ntwo\n')
    expect(await readFile(join(here.folder, 'precious'), 'utf8')).toBe('untouched')
  })

  it('AR5 of one attempt holds nothing of another', async () => {
    await using here = await site()
    const other = { ...here.place, attempt: 2, folder: join(here.folder, 'other') }
    await Promise.all([here.log('one\n'), here.log('other\n', other)])

    await here.finish()
    expect(here.kept()).toBe('one\n')
    await here.finish(other)
    expect(here.kept()).toBe('other\n')
  })
})
