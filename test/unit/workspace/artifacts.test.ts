import { execFileSync } from 'node:child_process'
import { link, mkdir, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { diskFiles } from '../../../src/host/files.ts'
import { sha256 } from '../../../src/host/sha256.ts'
import type { ArtifactMessage } from '../../../src/protocol/wire.ts'
import type { AttemptPlace } from '../../../src/ports/collector.ts'
import { createCollector, type CollectorLimits } from '../../../src/workspace/collector.ts'
import { keptBlobs } from '../../fixtures/kept-blobs.ts'
import { scratch } from '../../fixtures/scratch.ts'

const key = { run_id: 'r1', task_id: 't1', attempt: 1 }

async function site(files: Readonly<Record<string, string | Uint8Array>> = {}, limits: Partial<CollectorLimits> = {}) {
  const folder = await scratch({ 'root/.keep': '', 'attempt/.keep': '', ...files })
  const place: AttemptPlace = { ...key, folder: join(folder.path, 'attempt'), root: join(folder.path, 'root') }
  const blobs = keptBlobs()
  const collector = createCollector({ files: diskFiles(), blobs, sha256, limits })
  return {
    place,
    blobs,
    at: (name: string) => join(folder.path, name),
    collect: (path: string, rest: Partial<ArtifactMessage> = {}) =>
      collector.collect(place, { ...key, type: 'artifact', report: 1, kind: 'report', path, ...rest }),
    collector,
    [Symbol.asyncDispose]: () => folder.remove(),
  }
}

const refused = (why: string) => ({ code: 'artifact_refused', message: expect.stringContaining(why) })

describe('artifacts', () => {
  it('AR1 bytes, and files of the attempt, are kept as blobs; files of the workspace stay by reference', async () => {
    await using here = await site({ 'attempt/out/a.md': 'attempt', 'root/out/b.md': 'workspace' })

    const [bytes, own, shared] = [
      await here.collect('note.txt', { bytes: new TextEncoder().encode('bytes'), mime_type: 'text/plain' }),
      await here.collect('out/a.md'),
      await here.collect('./out//b.md'),
    ]

    expect(bytes).toEqual({
      kind: 'report',
      path: 'note.txt',
      checksum: `sha256:${sha256(Buffer.from('bytes'))}`,
      mime_type: 'text/plain',
      size_bytes: 5,
    })
    expect(own).toEqual({ kind: 'report', path: 'out/a.md', checksum: `sha256:${sha256(Buffer.from('attempt'))}`, size_bytes: 7 })
    expect(shared).toEqual({
      kind: 'report',
      path: 'out/b.md',
      checksum: `sha256:${sha256(Buffer.from('workspace'))}`,
      size_bytes: 9,
    })
    expect([...here.blobs.kept.values()].map((kept) => Buffer.from(kept).toString())).toEqual(['bytes', 'attempt'])
  })

  it('AR1 a path is looked for in the attempt first', async () => {
    await using here = await site({ 'attempt/a.md': 'attempt', 'root/a.md': 'workspace' })

    expect(await here.collect('a.md')).toHaveProperty('size_bytes', 'attempt'.length)
  })

  it('AR2 size and checksum that a worker claims are compared with those of the bytes', async () => {
    await using here = await site({ 'attempt/a.md': 'text', 'root/b.md': 'text' })
    const checksum = `sha256:${sha256(Buffer.from('text'))}`

    await expect(here.collect('a.md', { checksum: `sha256:${'0'.repeat(64)}` })).rejects.toMatchObject(refused('its checksum is'))
    await expect(here.collect('b.md', { size_bytes: 5 })).rejects.toMatchObject(refused('it has 4 bytes, not 5'))
    expect(here.blobs.kept.size).toBe(0)
    expect(
      await here.collect('a.md', { checksum: checksum.toUpperCase().replace('SHA256', 'sha256'), size_bytes: 4 }),
    ).toMatchObject({ checksum })
  })

  it('AR3 what leaves the attempt and the workspace is refused with the reason', async () => {
    await using here = await site({
      'attempt/good.md': 'good',
      'root/good.md': 'good',
      'outside/secret.md': 'secret',
      'root-evil/x.md': 'evil',
    })
    await symlink('../outside/secret.md', here.at('attempt/link.md'))
    await symlink('good.md', here.at('attempt/inner.md'))
    await symlink('../outside', here.at('attempt/folder'))
    await symlink('../root-evil', here.at('root/evil'))
    await link(here.at('outside/secret.md'), here.at('attempt/hard.md'))
    await mkdir(here.at('attempt/sub'))
    execFileSync('mkfifo', [here.at('attempt/pipe')])
    const why: Readonly<Record<string, string>> = {
      '../outside/secret.md': 'holds `..`',
      'sub/../good.md': 'holds `..`',
      [here.at('outside/secret.md')]: 'is absolute',
      [here.at('attempt/good.md')]: 'is absolute',
      'link.md': 'symbolic link',
      'inner.md': 'symbolic link',
      'folder/secret.md': 'leads out',
      'evil/x.md': 'leads out',
      'hard.md': 'hard link',
      sub: 'a folder',
      pipe: 'a fifo',
      'missing.md': 'nothing is there',
      '': 'is empty',
      'a\nb': 'control character',
      'a\0b': 'control character',
    }

    for (const [path, reason] of Object.entries(why))
      await expect(here.collect(path), path).rejects.toMatchObject(refused(reason))
    expect(here.blobs.kept.size).toBe(0)
    expect(await here.collect('good.md')).toMatchObject({ path: 'good.md' })
  })

  it('AR3 bytes are not named outside either', async () => {
    await using here = await site()
    const bytes = new Uint8Array(1)

    for (const name of ['../a', '/a', 'a/../b', ''])
      await expect(here.collect(name, { bytes }), name).rejects.toMatchObject(refused('its path'))
    expect(await here.collect('a/b', { bytes })).toMatchObject({ path: 'a/b' })
  })

  it('AR4 an artifact over its limit is refused, and the limit named', async () => {
    await using here = await site({ 'attempt/fits': '12345', 'attempt/over': '123456' }, { artifactBytes: 5 })

    await expect(here.collect('over')).rejects.toMatchObject(refused('one artifact may have 5'))
    await expect(here.collect('bytes', { bytes: new Uint8Array(6) })).rejects.toMatchObject(refused('one artifact may have 5'))
    expect(await here.collect('fits')).toHaveProperty('size_bytes', 5)
  })

  it('AR4 all artifacts of an attempt are limited together, and what was refused does not count', async () => {
    await using here = await site({}, { attemptBytes: 10, attemptArtifacts: 3 })
    const bytes = (length: number) => ({ bytes: new Uint8Array(length) })

    await here.collect('a', bytes(6))
    await expect(here.collect('b', bytes(5))).rejects.toMatchObject(refused('may have 10 bytes together'))
    await expect(here.collect('c', { ...bytes(4), size_bytes: 3 })).rejects.toMatchObject(refused('not 3'))
    await here.collect('d', bytes(4))
    await here.collect('e', bytes(0))
    await expect(here.collect('f', bytes(0))).rejects.toMatchObject(refused('may leave 3 artifacts'))
  })

  it('AR4 reports of one moment do not pass the limits together', async () => {
    await using here = await site({}, { attemptArtifacts: 2 })

    const outcomes = await Promise.allSettled([1, 2, 3, 4].map((n) => here.collect(`a${n}`, { bytes: new Uint8Array(1) })))

    expect(outcomes.map((outcome) => outcome.status)).toEqual(['fulfilled', 'fulfilled', 'rejected', 'rejected'])
  })

  it('AR4 each attempt has limits of its own', async () => {
    await using here = await site({}, { attemptArtifacts: 1 })
    const second = { ...here.place, attempt: 2 }
    const report = { ...key, type: 'artifact', report: 1, kind: 'report', path: 'a', bytes: new Uint8Array(1) } as const

    await here.collector.collect(here.place, report)
    await here.collector.collect(second, report)
    await expect(here.collector.collect(second, report)).rejects.toMatchObject(refused('may leave 1 artifacts'))
  })

  it('AR4 the defaults are those of the rules', async () => {
    const { collectorLimits } = await import('../../../src/workspace/collector.ts')

    expect(collectorLimits).toEqual({
      logBytes: 1024 ** 2,
      artifactBytes: 64 * 1024 ** 2,
      attemptBytes: 256 * 1024 ** 2,
      attemptArtifacts: 1_000,
    })
  })
})
