import { describe, expect, test, vi } from 'vitest'
import { diskFiles } from '../../src/host/files.ts'
import { collectWhileSwapping } from './artifact-race.ts'
import { judgeEvilPatterns } from './judged-patterns.ts'
import { sayMutatedMessages } from './mutated-messages.ts'
import { readMutatedTaskFiles } from './mutated-task-files.ts'

vi.setConfig({ testTimeout: 1_200_000 })
const longest = 1_000

describe('much hostile input', () => {
  test('VE2 evil patterns on evidence of a megabyte', async () => {
    const judged = await judgeEvilPatterns(990_000)
    expect(judged.filter(({ slowest }) => slowest > longest)).toEqual([])
    for (const { pattern, usable, verdicts } of judged) expect(verdicts.includes('verifier'), pattern).toBe(!usable)
  })

  test('HO8 70,000 mutated messages', async () => {
    const { taken, refused, slowest, status } = await sayMutatedMessages(70_000, 'many messages')
    expect(taken).toBeGreaterThan(1_000)
    expect(Object.keys(refused).sort()).toEqual(['invalid_message', 'too_large'])
    expect(slowest).toBeLessThan(longest)
    expect(status).toBe('completed')
  })

  test('WI6 WI7 30,000 mutated task files', async () => {
    const { read, refused, crashes, slowest } = await readMutatedTaskFiles(30_000, 'many files')
    expect(crashes).toEqual([])
    expect(read).toBeGreaterThan(100)
    expect(Object.keys(refused).sort()).toEqual(['invalid_document', 'too_large'])
    expect(slowest).toBeLessThan(longest)
  })

  test('AR3 10,000 artifacts that are swapped for links while they are collected', async () => {
    const { collected, refused, escaped, crashes } = await collectWhileSwapping(10_000)
    expect({ escaped, crashes }).toEqual({ escaped: 0, crashes: [] })
    expect(collected).toBeGreaterThan(100)
    expect(refused).toBeGreaterThan(100)
  })

  test('AR3 once the opened file is not looked at again, some get out (control)', async () => {
    const files = diskFiles()
    const trusting = { ...files, read: (path: string, { limit }: { readonly limit: number }) => files.read(path, { limit }) }
    const { escaped } = await collectWhileSwapping(10_000, trusting)
    expect(escaped).toBeGreaterThan(0)
  })
})
