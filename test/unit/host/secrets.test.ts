import { execFileSync } from 'node:child_process'
import { chmod, mkdir, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { envSecrets } from '../../../src/host/env-secrets.ts'
import { fileSecrets } from '../../../src/host/file-secrets.ts'
import { createSecrets } from '../../../src/host/secrets.ts'
import type { SecretSource } from '../../../src/ports/secrets.ts'
import { scratch } from '../../fixtures/scratch.ts'

const { signal } = new AbortController()
const ask = async (source: SecretSource, key: string): Promise<string | undefined> => source.resolve(key, { signal })

/** A folder of secrets with a mode, and a file beside it. */
async function secretFolder(files: Readonly<Record<string, string>>, mode = 0o600) {
  const folder = await scratch({ 'outside/other': 'outside' })
  await mkdir(join(folder.path, 'keys'))
  for (const [name, content] of Object.entries(files)) {
    await writeFile(join(folder.path, 'keys', name), content)
    await chmod(join(folder.path, 'keys', name), mode)
  }
  await chmod(join(folder.path, 'outside/other'), 0o600)
  return { keys: join(folder.path, 'keys'), outside: join(folder.path, 'outside/other'), [Symbol.asyncDispose]: folder.remove }
}

describe('secrets of the environment', () => {
  const environment = { get: (name: string) => ({ A: 'the value of A', B: 'the value of B' })[name] }

  test('SE5 a key is the name of a variable', async () => {
    const source = envSecrets({ environment })
    expect(source.source).toBe('env')
    expect([await ask(source, 'A'), await ask(source, 'NONE')]).toEqual(['the value of A', undefined])
  })

  test('SE5 only the names that are given are handed out', async () => {
    const source = envSecrets({ environment, names: ['A'] })
    expect([await ask(source, 'A'), await ask(source, 'B')]).toEqual(['the value of A', undefined])
  })

  test('SE5 without an environment it is that of this process', async () => {
    expect(await ask(envSecrets(), 'PATH')).toBe(process.env['PATH'])
  })
})

describe('secrets of files', () => {
  test('SE5 a key is the name of a file in the folder; one line break at its end is no part of the value', async () => {
    await using folder = await secretFolder({ plain: 'a value', line: 'a line\n', windows: 'a line\r\n', two: 'two\n\n' })
    const source = fileSecrets({ folder: folder.keys })
    expect(await Promise.all(['plain', 'line', 'windows', 'two', 'absent'].map((key) => ask(source, key)))).toEqual([
      'a value', 'a line', 'a line', 'two\n', undefined,
    ]) // prettier-ignore
  })

  test.each([0o400, 0o600, 0o700])('SE5 a file of the mode %o is used (control)', async (mode) => {
    await using folder = await secretFolder({ key: 'a value' }, mode)
    expect(await ask(fileSecrets({ folder: folder.keys }), 'key')).toBe('a value')
  })

  test.each([0o644, 0o640, 0o604, 0o444, 0o620, 0o601])(
    'SE5 a file of the mode %o, which others may use, is refused',
    async (mode) => {
      await using folder = await secretFolder({ key: 'a value' }, mode)
      await expect(ask(fileSecrets({ folder: folder.keys }), 'key')).rejects.toMatchObject({
        code: 'secret_unresolved',
        message: `The file ${folder.keys}/key may be used by others than its owner (mode ${mode.toString(8)}; chmod 600 it).`,
      })
    },
  )

  test('SE5 a link within the folder is followed, one that leads out is refused', async () => {
    await using folder = await secretFolder({ real: 'a value' })
    await mkdir(join(folder.keys, 'data'))
    await symlink('real', join(folder.keys, 'inner'))
    await symlink(folder.outside, join(folder.keys, 'outer'))
    const source = fileSecrets({ folder: folder.keys })
    expect(await ask(source, 'inner')).toBe('a value')
    await expect(ask(source, 'outer')).rejects.toMatchObject({
      code: 'secret_unresolved',
      message: expect.stringContaining('leads out'),
    })
  })

  test.each(['../outside/other', '..', '.', '', 'a/b', '/etc/hostname', 'real\0', '~', '$HOME'])(
    'SE5 the key %j names no file',
    async (key) => {
      await using folder = await secretFolder({ real: 'a value' })
      expect(await ask(fileSecrets({ folder: folder.keys }), key)).toBeUndefined()
      expect(await ask(fileSecrets({ folder: folder.keys }), 'real')).toBe('a value')
    },
  )

  test('SE5 what is no regular file, no text, or too large is refused, and a fifo is not waited for', async () => {
    await using folder = await secretFolder({ binary: '', large: 'x'.repeat(65_537) })
    await writeFile(join(folder.keys, 'binary'), Uint8Array.of(0x61, 0xff))
    await mkdir(join(folder.keys, 'folder'), { mode: 0o700 })
    execFileSync('mkfifo', ['-m', '600', join(folder.keys, 'fifo')])
    const source = fileSecrets({ folder: folder.keys })
    for (const [key, why] of [
      ['binary', 'is no UTF-8 text'],
      ['large', 'is larger than 65536 bytes'],
      ['folder', 'is no regular file'],
      ['fifo', 'is no regular file'],
    ] as const)
      await expect(ask(source, key), key).rejects.toMatchObject({
        code: 'secret_unresolved',
        message: expect.stringContaining(why),
      })
  })

  test('SE5 files that are named one by one may lie anywhere, and may not be links', async () => {
    await using folder = await secretFolder({ real: 'a value' })
    await symlink('real', join(folder.keys, 'link'))
    const source = fileSecrets({
      files: { 'A KEY': join(folder.keys, 'real'), LINK: join(folder.keys, 'link'), GONE: join(folder.keys, 'gone') },
    })
    expect(await ask(source, 'A KEY')).toBe('a value')
    expect(await ask(source, 'GONE')).toBeUndefined()
    expect(await ask(source, 'real')).toBeUndefined()
    expect(await ask(source, 'constructor')).toBeUndefined()
    await expect(ask(source, 'LINK')).rejects.toMatchObject({
      code: 'secret_unresolved',
      message: expect.stringContaining('is a link'),
    })
  })

  test('SE5 a folder that is not there has no secrets', async () => {
    expect(await ask(fileSecrets({ folder: '/nowhere/at/all' }), 'KEY')).toBeUndefined()
  })
})

describe('sources in order', () => {
  const source = (name: string, values: Readonly<Record<string, string>>): SecretSource => ({
    source: name,
    resolve: (key) => values[key],
  })
  const secrets = createSecrets([source('first', { BOTH: 'one' }), source('second', { BOTH: 'two', LAST: 'three' })], {
    problemOf: (value) => (value === 'three' ? 'is bad' : undefined),
  })
  const resolve = (...refs: { key: string; source?: string }[]) => secrets.resolve(refs, { signal })

  test('SE5 a reference without a source is looked for in each, one with a source there alone', async () => {
    expect(await resolve({ key: 'BOTH' })).toEqual({ values: { BOTH: 'one' } })
    expect(await resolve({ key: 'BOTH', source: 'second' })).toEqual({ values: { BOTH: 'two' } })
    expect(await resolve({ key: 'LAST', source: 'first' })).toEqual({
      problems: ['The secret <secret:first.LAST> cannot be resolved: it is not in first.'],
    })
  })

  test('SE5 everything that is wrong is told at once', async () => {
    expect(await resolve({ key: 'BOTH' }, { key: 'NONE' }, { key: 'LAST' }, { key: 'K', source: 'keyring' })).toEqual({
      problems: [
        'The secret <secret:NONE> cannot be resolved: it is not in first, second.',
        'The secret <secret:LAST> cannot be resolved: its value is bad.',
        'The secret <secret:keyring.K> cannot be resolved: no source "keyring" is given; pass one in `secrets`, or name first, second.',
      ],
    })
  })

  test('SE5 a source that fails is not passed over for the next one', async () => {
    const failing: SecretSource = { source: 'failing', resolve: () => { throw new Error('the secret is hunter22') } } // prettier-ignore
    const both = createSecrets([failing, source('second', { KEY: 'value' })], { problemOf: () => undefined })
    expect(await both.resolve([{ key: 'KEY' }], { signal })).toEqual({
      problems: ['The secret <secret:KEY> cannot be resolved: its source threw Error.'],
    })
  })
})
