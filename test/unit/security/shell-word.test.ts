import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { hasNul, shellWord } from '../../../src/security/shell-word.ts'
import { scratch } from '../../fixtures/scratch.ts'
import { hostileWords, possibleArguments } from '../../support/hostile-words.ts'

/** What a shell makes of words that are written into its command line. */
function readBy(shell: string, words: readonly string[], cwd: string): readonly string[] {
  const line = `printf '%s\\0' ${words.map(shellWord).join(' ')}`
  const { stdout, status } = spawnSync(shell, ['-c', line], { cwd, encoding: 'utf8', env: { PATH: process.env['PATH'] } })
  expect(status).toBe(0)
  return stdout.split('\0').slice(0, -1)
}

describe.each(['sh', 'bash'])('a word for %s', (shell) => {
  test('SE6 arrives as it is, whatever it holds, and nothing of it is carried out', async () => {
    await using folder = await scratch()

    expect(readBy(shell, possibleArguments, folder.path)).toEqual(possibleArguments)

    expect(existsSync(join(folder.path, 'pwned'))).toBe(false)
    // Unquoted, the same words are carried out.
    spawnSync(shell, ['-c', `printf '%s' ${possibleArguments.find((word) => word === '$(touch pwned)')}`], { cwd: folder.path })
    expect(existsSync(join(folder.path, 'pwned'))).toBe(true)
  })

  test('SE6 arrives as it is, for any text without NUL', async () => {
    await using folder = await scratch()
    const word = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.string({ unit: fc.constantFrom("'", '"', '\\', '$', '`', '\n', ' ', 'a') }),
    )
    const words = fc.array(
      word.filter((text) => !text.includes('\0')),
      { minLength: 1, maxLength: 50 },
    )

    fc.assert(
      fc.property(words, (given) => {
        expect(readBy(shell, given, folder.path)).toEqual(given)
      }),
      { numRuns: 40 },
    )
  })
})

test('SE6 a NUL is seen, which no word can hold', () => {
  expect(hostileWords.filter(hasNul)).toEqual(['a\0b', '\0'])
})
