import { execFile } from 'node:child_process'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { scratch } from '../fixtures/scratch.ts'

interface Results {
  readonly figures: Readonly<Record<string, Readonly<Record<string, Readonly<Record<string, { readonly median: number }>>>>>>
  readonly marks: readonly { readonly mark: string; readonly verdict: string }[]
}

const root = fileURLToPath(new URL('../..', import.meta.url))

/** Starts the bench on the source, so that nothing has to be built. */
function bench(...args: string[]): Promise<{ readonly code: number; readonly stdout: string; readonly stderr: string }> {
  const node = ['--import', 'tsx', '-C', 'flotilla-source', join(root, 'test/bench/bench.mjs')]
  return new Promise((resolve) => {
    execFile(process.execPath, [...node, ...args], { cwd: root }, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr })
    })
  })
}

/** Results with one figure for each of two contestants. */
function resultsOf(rates: { readonly json: number; readonly plainjob: number }): unknown {
  const rate = (median: number) => ({ rate: { median, min: median, max: median, samples: 1 } })
  return {
    quick: false,
    rounds: 1,
    longRounds: 1,
    machine: { cores: 2, platform: 'Linux', file_system: 'ext4', node: '20.20', load: 0 },
    figures: { drain: { 'json 64': rate(rates.json), 'plainjob 1': rate(rates.plainjob) } },
    tables: [{ title: 'Drain of 7 tasks', columns: ['drain', 'tasks/s'], rows: [['Flotilla', '1']] }],
  }
}

describe('the bench', () => {
  it('ST3 it measures the store and the disk that it lies on, and writes what it found', { timeout: 120_000 }, async () => {
    await using folder = await scratch()
    const out = join(folder.path, 'results.json')
    const small = ['--quick', '--no-build', '--no-peers', '--only', 'limits,queues,runs,worker-programs']
    const { code, stdout, stderr } = await bench(...small, '--out', out, '--folder', folder.path)
    expect(stderr).toContain(out)
    expect(code, stderr).toBe(0)
    const { figures, marks } = JSON.parse(await readFile(out, 'utf8')) as Results
    expect(Object.keys(figures)).toEqual(['limits', 'queues', 'runs', 'worker-programs'])
    const found = [
      figures['limits']?.['128']?.['rate'],
      figures['queues']?.['100']?.['rate'],
      figures['runs']?.['small']?.['rate'],
      figures['worker-programs']?.['warm']?.['perCore'],
      figures['worker-programs']?.['spawned']?.['ratio'],
    ]
    for (const rate of found) expect(rate?.median).toBeGreaterThan(0)
    expect(figures['queues']?.['100']?.['heap']?.median).toBeLessThan(20_000)
    expect(new Set(marks.map(({ verdict }) => verdict))).toContain('not measured')
    for (const title of ['The limits of the disk', 'Queues of different lengths', 'Many small runs', 'The marks'])
      expect(stdout).toContain(title)
  })

  it.each([
    { json: 60, plainjob: 10, code: 0, verdict: 'met' },
    { json: 100, plainjob: 10, code: 0, verdict: 'met, and its stretch' },
    { json: 59, plainjob: 10, code: 1, verdict: 'missed' },
  ])('ST3 a drain at $json beside one at $plainjob is $verdict', async ({ verdict, code, ...rates }) => {
    await using folder = await scratch()
    const from = join(folder.path, 'results.json')
    await writeFile(from, JSON.stringify(resultsOf(rates)))
    const strict = await bench('--from', from, '--strict')
    expect(strict.code, strict.stderr).toBe(code)
    const line = strict.stdout.split('\n').find((text) => text.startsWith('drain at 64 slots: at least 6 × plainjob'))
    expect(line?.split(/ {2,}/).at(-1)).toBe(verdict)
    expect((await bench('--from', from)).code).toBe(0)
  })

  it('ST3 a section that is not there is refused, with those that are', async () => {
    const { code, stderr } = await bench('--only', 'speed')
    expect(code).toBe(2)
    expect(stderr).toContain('There is no section speed. The sections are limits, closed-loop, drain')
  })
})
