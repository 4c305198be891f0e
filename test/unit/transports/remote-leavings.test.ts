import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { createRemoteLeavings } from '../../../src/transports/ssh/remote-leavings.ts'
import { tarEnd, tarEntry } from '../../../src/transports/ssh/tar-writer.ts'
import { scratch } from '../../fixtures/scratch.ts'

const limits = { files: 10, bytes: 1_000 }

function archive(files: Readonly<Record<string, string>>): Uint8Array {
  const entries = Object.entries(files).map(([path, content]) =>
    tarEntry({ path, bytes: Buffer.from(content), isExecutable: true }),
  )
  return Buffer.concat([...entries, tarEnd])
}

/** An entry that is no file: of the type of links, devices and the like. */
function special(path: string, type: string): Uint8Array {
  const entry = Buffer.from(tarEntry({ path, bytes: Buffer.alloc(0), isExecutable: false }))
  entry.write(type, 156)
  entry.write('/etc/passwd', 157)
  entry.write(' '.repeat(8), 148)
  entry.write(
    `${entry
      .reduce((sum, byte) => sum + byte, 0)
      .toString(8)
      .padStart(6, '0')}\0 `,
    148,
  )
  return entry
}

describe('what comes of an attempt elsewhere', () => {
  test('AR1 lies in its folder: artifacts and output.json, without the right to be executed', async () => {
    await using folder = await scratch()
    const leavings = createRemoteLeavings(folder.path, limits)
    await leavings.write(archive({ 'artifacts/report.md': 'R', 'artifacts/deep/a': 'A', 'output.json': '{}', evidence: 'E' }))

    expect(leavings.end()).toEqual([])
    expect(readFileSync(join(folder.path, 'artifacts/report.md'), 'utf8')).toBe('R')
    expect(readFileSync(join(folder.path, 'artifacts/deep/a'), 'utf8')).toBe('A')
    expect(readFileSync(join(folder.path, 'output.json'), 'utf8')).toBe('{}')
    expect(Buffer.from(leavings.evidence).toString()).toBe('E')
    expect(existsSync(join(folder.path, 'evidence'))).toBe(false)
  })

  test.each([
    '../out',
    '/out',
    'artifacts/../../out',
    'artifacts/..',
    'artifacts//a',
    'artifacts/./a',
    'out',
    'artifacts',
    'root/a',
    'output.json/a',
  ])('AR3 a name that leads out is left out: %s', async (path) => {
    await using folder = await scratch({ 'in/keep': '' })
    const leavings = createRemoteLeavings(join(folder.path, 'in'), limits)
    await leavings.write(archive({ [path]: 'bytes', 'artifacts/good': 'G' }))

    expect(leavings.end()).toEqual([`[${path} left out: it leads out of its folder]\n`])
    expect(readdirSync(folder.path)).toEqual(['in'])
    expect(readdirSync(join(folder.path, 'in')).sort()).toEqual(['artifacts', 'keep'])
    expect(readdirSync(join(folder.path, 'in/artifacts'))).toEqual(['good'])
  })

  test('AR3 links and devices are not made, so that no later file can be written through one', async () => {
    await using folder = await scratch({ outside: 'untouched' })
    const leavings = createRemoteLeavings(join(folder.path, 'in'), limits)
    const entries = [
      special('artifacts/a', '2'),
      special('artifacts/b', '1'),
      special('artifacts/c', '6'),
      special('artifacts/d', '3'),
    ]
    await leavings.write(Buffer.concat([...entries, archive({ 'artifacts/a/passwd': 'P' })]))

    expect(leavings.end()).toEqual([
      '[artifacts/a left out: it is a link]\n',
      '[artifacts/b left out: it is a link]\n',
      '[artifacts/c left out: it is no regular file]\n',
      '[artifacts/d left out: it is no regular file]\n',
    ])
    expect(readdirSync(join(folder.path, 'in/artifacts'))).toEqual(['a'])
    expect(readFileSync(join(folder.path, 'in/artifacts/a/passwd'), 'utf8')).toBe('P')
  })

  test('AR4 what is over the bytes or the number is left out', async () => {
    await using folder = await scratch()
    const leavings = createRemoteLeavings(folder.path, limits)
    const many = Object.fromEntries(Array.from({ length: 20 }, (_, at) => [`artifacts/f${String(at).padStart(2, '0')}`, 'x']))
    await leavings.write(archive({ 'artifacts/big': 'x'.repeat(1_001), ...many }))

    expect(leavings.end()).toEqual(['[artifacts/big left out: with it there would be more than 1000 bytes]\n'])
    expect(readdirSync(join(folder.path, 'artifacts'))).toHaveLength(limits.files)
  })

  test('AR3 the same name twice, and a file where a folder is, are left out', async () => {
    await using folder = await scratch()
    const leavings = createRemoteLeavings(folder.path, limits)
    const one = archive({ 'artifacts/a': '1' })
    await leavings.write(Buffer.concat([one.subarray(0, 1_024), archive({ 'artifacts/a': '2', 'artifacts/a/b': '3' })]))

    expect(leavings.end()).toHaveLength(2)
    expect(readFileSync(join(folder.path, 'artifacts/a'), 'utf8')).toBe('1')
  })

  test('AR2 an archive that is cut short says so', async () => {
    await using folder = await scratch()
    const leavings = createRemoteLeavings(folder.path, limits)
    await leavings.write(archive({ 'artifacts/a': 'x'.repeat(900) }).subarray(0, 700))
    expect(() => leavings.end()).toThrow('cut short')
  })
})
