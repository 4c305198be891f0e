import { execFileSync } from 'node:child_process'
import { link, mkdir, readFile, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { diskFiles } from '../../../src/host/files.ts'
import { scratch } from '../../fixtures/scratch.ts'

const files = diskFiles()

describe('files on disk', () => {
  it('AR3 facts tell files, folders, links and the rest apart, without following a link', async () => {
    await using folder = await scratch({ 'a.txt': 'four' })
    const at = (name: string) => join(folder.path, name)
    await symlink('a.txt', at('link'))
    await link(at('a.txt'), at('hard'))
    execFileSync('mkfifo', [at('pipe')])

    expect(await files.facts(at('a.txt'))).toEqual({ kind: 'file', size: 4, links: 2 })
    expect(await files.facts(folder.path)).toMatchObject({ kind: 'folder' })
    expect(await files.facts(at('link'))).toMatchObject({ kind: 'link' })
    expect(await files.facts(at('pipe'))).toMatchObject({ kind: 'other' })
    expect(await files.facts(at('missing'))).toBeUndefined()
    expect(await files.facts(at('a.txt/below'))).toBeUndefined()
  })

  it('WS1 a real path has its links resolved', async () => {
    await using folder = await scratch({ 'deep/a.txt': '' })
    await symlink('deep', join(folder.path, 'link'))

    expect(await files.real(join(folder.path, 'link/a.txt'))).toBe(join(folder.path, 'deep/a.txt'))
    expect(await files.real(join(folder.path, 'link/b.txt'))).toBeUndefined()
  })

  it('AR4 a file is read up to the limit, and refused above it', async () => {
    await using folder = await scratch({ 'a.txt': '12345' })
    const path = join(folder.path, 'a.txt')

    expect(new TextDecoder().decode(await files.read(path, { limit: 5 }))).toBe('12345')
    await expect(files.read(path, { limit: 4 })).rejects.toMatchObject({ code: 'too_large' })
  })

  it('AR4 a file that has no size of its own is bounded all the same', async () => {
    await expect(files.read('/proc/self/maps', { limit: 10 })).rejects.toMatchObject({ code: 'too_large' })
    expect((await files.read('/proc/self/maps', { limit: 10_000_000 })).length).toBeGreaterThan(0)
  })

  it('AR3 links, folders, fifos and devices are not read, and nothing waits for them', async () => {
    await using folder = await scratch({ 'a.txt': 'a' })
    await symlink('a.txt', join(folder.path, 'link'))
    execFileSync('mkfifo', [join(folder.path, 'pipe')])

    for (const path of [
      join(folder.path, 'link'),
      folder.path,
      join(folder.path, 'pipe'),
      '/dev/zero',
      join(folder.path, 'missing'),
    ]) {
      await expect(files.read(path, { limit: 10 }), path).rejects.toMatchObject({ code: 'unreadable_file' })
    }
    expect(await files.read(join(folder.path, 'a.txt'), { limit: 10 })).toHaveLength(1)
  })

  it('AR5 text is added to the end of a file, which is made with its folders', async () => {
    await using folder = await scratch()
    const path = join(folder.path, 'x/y/log.txt')

    await files.append(path, 'one')
    await files.append(path, 'two')

    expect(await readFile(path, 'utf8')).toBe('onetwo')
  })

  it('AR3 a link that was laid where text is to be added is not followed', async () => {
    await using folder = await scratch({ 'precious.txt': 'untouched' })
    await symlink('precious.txt', join(folder.path, 'output.log'))
    execFileSync('mkfifo', [join(folder.path, 'pipe')])

    await expect(files.append(join(folder.path, 'output.log'), 'x')).rejects.toMatchObject({ code: 'unreadable_file' })
    await expect(files.append(join(folder.path, 'pipe'), 'x')).rejects.toMatchObject({ code: 'unreadable_file' })
    expect(await readFile(join(folder.path, 'precious.txt'), 'utf8')).toBe('untouched')
  })

  it('WS2 files are found by pattern, dotfiles too, sorted', async () => {
    await using folder = await scratch({ 'b.txt': '', 'a/c.txt': '', '.env': '', 'a/.hidden/d.txt': '', 'e.md': '' })

    expect(await files.find(folder.path, ['**'])).toEqual(['.env', 'a/.hidden/d.txt', 'a/c.txt', 'b.txt', 'e.md'])
    expect(await files.find(folder.path, ['*.txt', 'a/*.txt'])).toEqual(['a/c.txt', 'b.txt'])
    expect(await files.find(folder.path, ['a', 'missing/**'])).toEqual([])
    expect(await files.find(join(folder.path, 'missing'), ['**'])).toEqual([])
  })

  it('WS1 nothing outside of the folder is found, and no link among the files', async () => {
    await using folder = await scratch({ 'root/in.txt': '', 'root-evil/out.txt': '' })
    const root = join(folder.path, 'root')
    await symlink('../root-evil', join(root, 'link'))
    await symlink('in.txt', join(root, 'leaf'))

    for (const pattern of [
      '../**',
      '../root-evil/*',
      `${folder.path}/root-evil/*`,
      'link/*',
      'link/out.txt',
      'leaf',
      'a/../../root-evil/*',
    ]) {
      expect(await files.find(root, [pattern]), pattern).toEqual([])
    }
    expect(await files.find(root, ['**'])).toEqual(['in.txt'])
  })

  it('RU8 a folder is removed with all in it, and twice is safe', async () => {
    await using folder = await scratch({ 'a/b/c.txt': '' })

    await files.removeFolder(join(folder.path, 'a'))
    await files.removeFolder(join(folder.path, 'a'))
    await files.makeFolder(join(folder.path, 'x/y'))
    await mkdir(join(folder.path, 'x/y/z'))

    expect(await files.facts(join(folder.path, 'a'))).toBeUndefined()
    expect(await files.facts(join(folder.path, 'x/y'))).toMatchObject({ kind: 'folder' })
  })
})
