import { describe, expect, test } from 'vitest'
import { collectWhileSwapping } from './artifact-race.ts'
import { evilPatterns } from './evil-patterns.ts'
import { judgeEvilPatterns } from './judged-patterns.ts'
import { sayMutatedMessages } from './mutated-messages.ts'
import { readMutatedTaskFiles } from './mutated-task-files.ts'

/** No input takes longer than that, in milliseconds. */
const longest = 1_000

describe('hostile input', () => {
  test('VE2 a hundred evil patterns: each is judged within a second, and one that cannot be used is a failure of the verifier', async () => {
    expect(new Set(evilPatterns.map(([pattern]) => pattern)).size).toBeGreaterThanOrEqual(100)
    const judged = await judgeEvilPatterns(5_000)
    expect(judged.filter(({ slowest }) => slowest > longest)).toEqual([])
    for (const { pattern, usable, verdicts } of judged) {
      if (usable) expect(verdicts, pattern).not.toContain('verifier')
      else expect(new Set(verdicts), pattern).toEqual(new Set(['verifier']))
    }
    const all = new Set(judged.flatMap(({ verdicts }) => verdicts))
    expect(all).toEqual(new Set(['pass', 'task', 'verifier']))
  })

  test('HO8 mutated messages of a worker: each is taken, or refused with its code, and the fleet works on', async () => {
    const { taken, refused, slowest, status } = await sayMutatedMessages(3_000, 'messages')
    expect(taken).toBeGreaterThan(100)
    expect(Object.keys(refused).sort()).toEqual(['invalid_message', 'too_large'])
    expect(slowest).toBeLessThan(longest)
    expect(status).toBe('completed')
  })

  test('WI6 WI7 mutated task files, JSON and TOML: each is read, or refused with its code', async () => {
    const { read, refused, crashes, slowest } = await readMutatedTaskFiles(800, 'files')
    expect(crashes).toEqual([])
    expect(read).toBeGreaterThan(10)
    expect(Object.keys(refused).sort()).toEqual(['invalid_document', 'too_large'])
    expect(slowest).toBeLessThan(longest)
  })

  test('AR3 a worker that swaps links while its artifact is collected gets nothing out', async () => {
    const { collected, refused, escaped, crashes } = await collectWhileSwapping(600)
    expect({ escaped, crashes }).toEqual({ escaped: 0, crashes: [] })
    expect(collected).toBeGreaterThan(0)
    expect(refused).toBeGreaterThan(0)
  })
})
