import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, statSync, symlinkSync, linkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createTarReader, type TarEntry } from '../../../src/transports/ssh/tar-reader.ts'
import { tarEnd, tarEntry } from '../../../src/transports/ssh/tar-writer.ts'
import { scratch } from '../../fixtures/scratch.ts'

/** All that an archive holds, read in pieces of a length. */
async function read(
  archive: Uint8Array,
  pieceLength = archive.length,
): Promise<{ entries: TarEntry[]; contents: Map<string, Buffer> }> {
  const entries: TarEntry[] = []
  const contents = new Map<string, Buffer>()
  let current = ''
  const reader = createTarReader({
    async entry(entry) {
      entries.push(entry)
      current = entry.path
      contents.set(current, Buffer.alloc(0))
    },
    async bytes(bytes) {
      contents.set(current, Buffer.concat([contents.get(current)!, bytes]))
    },
    async end() {},
  })
  for (let at = 0; at < archive.length; at += pieceLength) await reader.write(archive.subarray(at, at + pieceLength))
  reader.end()
  return { entries, contents }
}

const long = `${'a-long-folder/'.repeat(12)}ünd ein name 🙂.txt`

describe('a tar archive', () => {
  test('WS2 is unpacked by the tar of the system, with long names and the right to be executed', async () => {
    await using folder = await scratch()
    const files = [
      { path: 'a.txt', bytes: Buffer.from('a'), isExecutable: false },
      { path: 'sub/run.sh', bytes: Buffer.from('#!/bin/sh\n'), isExecutable: true },
      { path: long, bytes: Buffer.alloc(2_000, 'x'), isExecutable: false },
      { path: 'empty', bytes: Buffer.alloc(0), isExecutable: false },
      { path: 'p'.repeat(100), bytes: Buffer.alloc(512, 'y'), isExecutable: false },
    ]

    const archive = Buffer.concat([...files.map(tarEntry), tarEnd])
    const unpacked = spawnSync('tar', ['-xof', '-'], { cwd: folder.path, input: archive, encoding: 'utf8' })

    expect(unpacked).toMatchObject({ status: 0, stderr: '' })
    for (const { path, bytes } of files) expect(readFileSync(join(folder.path, path))).toEqual(bytes)
    expect(statSync(join(folder.path, 'sub/run.sh')).mode & 0o100).toBe(0o100)
    expect(statSync(join(folder.path, 'a.txt')).mode & 0o100).toBe(0)
  })

  test.each(['gnu', 'ustar', 'pax', 'v7'])(
    'AR1 of the format %s that the system writes is read, however it is cut',
    async (format) => {
      await using folder = await scratch({ 'artifacts/a.txt': 'A', 'artifacts/deep/empty': '', 'output.json': '{}' })
      const name = format === 'v7' ? 'artifacts/b' : join('artifacts', long.slice(-60))
      mkdirSync(dirname(join(folder.path, name)), { recursive: true })
      writeFileSync(join(folder.path, name), Buffer.alloc(70_000, 'z'))
      symlinkSync('/etc/passwd', join(folder.path, 'artifacts/link'))
      linkSync(join(folder.path, 'artifacts/a.txt'), join(folder.path, 'artifacts/hard'))

      const archive = execFileSync('tar', [`--format=${format}`, '--sort=name', '-cf', '-', 'artifacts', 'output.json'], {
        cwd: folder.path,
      })

      for (const length of [archive.length, 7, 511, 10_000]) {
        const { entries, contents } = await read(archive, length)
        expect(contents.get('artifacts/a.txt')?.toString()).toBe('A')
        expect(contents.get(name)).toEqual(Buffer.alloc(70_000, 'z'))
        expect(contents.get('output.json')?.toString()).toBe('{}')
        const kinds = Object.fromEntries(entries.map(({ path, kind }) => [path, kind]))
        expect(kinds).toMatchObject({ 'artifacts/link': 'link', 'artifacts/deep/empty': 'file', 'artifacts/deep/': 'folder' })
        expect([kinds['artifacts/hard'], kinds['artifacts/a.txt']].sort()).toEqual(['file', 'link'])
      }
    },
  )

  test('AR3 that is cut short, or is none, is refused', async () => {
    const archive = Buffer.concat([tarEntry({ path: 'a', bytes: Buffer.alloc(2_000, 'x'), isExecutable: false }), tarEnd])
    await expect(read(archive)).resolves.toMatchObject({ entries: [{ path: 'a', kind: 'file', size: 2_000 }] })
    await expect(read(archive.subarray(0, 1_500))).rejects.toThrow('cut short')
    const damaged = Buffer.from(archive)
    damaged[3] = 0x41
    await expect(read(damaged)).rejects.toThrow('no tar archive')
  })

  test('AR3 of any bytes ends in a refusal or in nothing, never in more than was there', async () => {
    const archive = Buffer.concat([tarEntry({ path: 'a', bytes: Buffer.from('bytes'), isExecutable: false }), tarEnd])
    await fc.assert(
      fc.asyncProperty(fc.nat(archive.length - 1), fc.nat(255), fc.nat(3_000), async (at, byte, length) => {
        const changed = Buffer.from(archive)
        changed[at] = byte
        const found = await read(changed, length + 1).catch(() => undefined)
        for (const content of found?.contents.values() ?? []) expect(content.length).toBeLessThanOrEqual(archive.length)
      }),
      { numRuns: 300 },
    )
  })
})
