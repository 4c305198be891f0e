import { execFileSync } from 'node:child_process'
import { link, mkdir, symlink } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { diskFiles } from '../../src/host/files.ts'
import { sha256 } from '../../src/host/sha256.ts'
import type { FleetArtifactRef } from '../../src/protocol/artifact.ts'
import { memoryBlobs } from '../../src/store/memory-blobs.ts'
import { createCollector } from '../../src/workspace/collector.ts'
import { scratch } from '../fixtures/scratch.ts'

let base: Awaited<ReturnType<typeof scratch>>
const socket = createServer()

beforeAll(async () => {
  base = await scratch({
    'attempt/here.txt': 'inside',
    'attempt/-rf': 'inside',
    'attempt/a/deep.txt': 'inside',
    'root/there.txt': 'inside',
    'outside.txt': 'outside',
  })
  const attempt = join(base.path, 'attempt')
  await mkdir(join(attempt, 'folder'))
  await symlink(join(base.path, 'outside.txt'), join(attempt, 'link-out'))
  await symlink('../outside.txt', join(attempt, 'link-relative'))
  await symlink('here.txt', join(attempt, 'link-in'))
  await symlink('/dev/zero', join(attempt, 'link-zero'))
  await symlink('/proc/self/environ', join(attempt, 'link-environ'))
  await symlink('loop', join(attempt, 'loop'))
  await symlink('nowhere', join(attempt, 'link-nowhere'))
  await symlink(base.path, join(attempt, 'folder-out'))
  await symlink('/', join(attempt, 'folder-root'))
  await symlink('folder-loop', join(attempt, 'folder-loop'))
  await link(join(base.path, 'outside.txt'), join(attempt, 'hard'))
  execFileSync('mkfifo', [join(attempt, 'fifo')])
  await new Promise<void>((resolve) => socket.listen(join(attempt, 'socket'), resolve))
})
afterAll(async () => {
  await new Promise((resolve) => socket.close(resolve))
  await base.remove()
})

const collect = (path: string): Promise<FleetArtifactRef> => {
  const key = { run_id: 'r', task_id: 'a', attempt: 1 }
  const place = { ...key, folder: join(base.path, 'attempt'), root: join(base.path, 'root') }
  return createCollector({ files: diskFiles(), blobs: memoryBlobs(), sha256 }).collect(place, {
    ...key,
    type: 'artifact',
    report: 1,
    kind: 'k',
    path,
  })
}

const hostile = [
  '../outside.txt', '../../etc/passwd', '/etc/passwd', '//etc/passwd', '/proc/self/environ', '/proc/self/fd/0', '/dev/stdin', '/dev/zero', 'a/../../outside.txt',
  'a/../here.txt', 'a/..', '..', '.', './', '', '/', 'a/b/../../../outside.txt', './../outside.txt', 'a//..//..//outside.txt', 'here.txt\0', '\0', 'here.txt\n',
  '\u0007here.txt', '~/.ssh/id_rsa', '$HOME/x', '%2e%2e/outside.txt', '..%2foutside.txt', '..\\outside.txt', 'C:\\Windows\\win.ini', 'file:///etc/passwd',
  '\u2025/outside.txt', '\uff0e\uff0e/outside.txt', 'x'.repeat(5_000), `${'a/'.repeat(3_000)}x`, '\ud800', '\u202egpj.exe', 'link-out', 'link-relative', 'link-in',
  'link-zero', 'link-environ', 'loop', 'link-nowhere', 'folder-out/outside.txt', 'folder-root/etc/passwd', 'folder-loop/x', 'hard', 'fifo', 'socket', 'folder',
  'missing', 'here.txt/below', 'folder-out/attempt/here.txt/../../outside.txt',
] // prettier-ignore

describe('paths of artifacts', () => {
  test(`AR3 there are at least 40 hostile ones, all different`, () => {
    expect(new Set(hostile).size).toBe(hostile.length)
    expect(hostile.length).toBeGreaterThanOrEqual(40)
  })

  test.each(hostile.map((path) => [JSON.stringify(path.slice(0, 50)), path] as const))(
    'AR3 %s is refused with its code, soon',
    async (_, path) => {
      const from = performance.now()
      await expect(collect(path)).rejects.toMatchObject({ code: 'artifact_refused' })
      expect(performance.now() - from).toBeLessThan(1_000)
    },
  )

  test.each(['here.txt', './here.txt', 'a/deep.txt', 'a//deep.txt', '-rf', 'there.txt'])(
    'AR3 %s is collected (control)',
    async (path) => {
      expect(await collect(path)).toMatchObject({ checksum: `sha256:${sha256(new TextEncoder().encode('inside'))}` })
    },
  )
})
