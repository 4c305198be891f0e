import { symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { diskFiles } from '../../../src/host/files.ts'
import { resolveRoot } from '../../../src/workspace/root.ts'
import { scratch } from '../../fixtures/scratch.ts'

const files = diskFiles()

describe('the root of a workspace', () => {
  it('WS1 is the workspace folder itself, or a folder in it', async () => {
    await using folder = await scratch({ 'ws/site/a.txt': '' })
    const base = join(folder.path, 'ws')

    expect(await resolveRoot(files, base)).toEqual({ root: base })
    expect(await resolveRoot(files, base, '.')).toEqual({ root: base })
    expect(await resolveRoot(files, base, './site/')).toEqual({ root: join(base, 'site') })
    expect(await resolveRoot(files, base, join(base, 'site'))).toEqual({ root: join(base, 'site') })
  })

  it('WS1 may be reached by links that stay inside, and through a base that is a link', async () => {
    await using folder = await scratch({ 'ws/site/a.txt': '' })
    await symlink('site', join(folder.path, 'ws/inner'))
    await symlink('ws', join(folder.path, 'base'))

    expect(await resolveRoot(files, join(folder.path, 'ws'), 'inner')).toEqual({ root: join(folder.path, 'ws/site') })
    expect(await resolveRoot(files, join(folder.path, 'base'), 'site')).toEqual({ root: join(folder.path, 'ws/site') })
  })

  it.each([
    ['holds `..`', '..'],
    ['holds `..`', 'site/../..'],
    ['holds `..`', 'site/..'],
    ['is outside', '/etc'],
    ['is outside', '/'],
    ['holds a control character', 'a\nb'],
    ['holds a control character', 'a\rb'],
    ['holds a control character', 'a\0b'],
    ['is empty', ''],
    ['does not exist', 'missing'],
    ['is no folder', 'file.txt'],
    ['leads out', 'outer'],
    ['leads out', 'outer/below'],
    ['leads out', 'evil'],
  ])('WS1 it is refused where it %s: %j', async (why, root) => {
    await using folder = await scratch({ 'ws/site/a.txt': '', 'ws/file.txt': '', 'ws-evil/below/a.txt': '' })
    const base = join(folder.path, 'ws')
    await symlink('..', join(base, 'outer'))
    await symlink('../ws-evil', join(base, 'evil'))
    await symlink('../../ws-evil/below', join(base, 'site/deep'))
    if (root === 'outer/below') await symlink('ws-evil/below', join(folder.path, 'below'))

    expect(await resolveRoot(files, base, root)).toEqual({ problem: expect.stringContaining(why) })
  })

  it('WS1 a folder whose name begins like the workspace is not in it', async () => {
    await using folder = await scratch({ 'root/a.txt': '', 'root-evil/a.txt': '' })
    const base = join(folder.path, 'root')

    expect(await resolveRoot(files, base, join(folder.path, 'root-evil'))).toEqual({
      problem: expect.stringContaining('is outside'),
    })
    expect(await resolveRoot(files, base, base)).toEqual({ root: base })
  })

  it('WS1 a workspace folder that does not exist is said', async () => {
    await using folder = await scratch()

    expect(await resolveRoot(files, join(folder.path, 'gone'))).toEqual({ problem: expect.stringContaining('does not exist') })
  })
})
