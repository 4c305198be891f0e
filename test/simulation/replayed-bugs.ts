import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, onTestFinished, test } from 'vitest'
import { fullSize, playSeed } from '../../src/testing/simulation.ts'
import { allFaults } from './all-faults.ts'
import type { plantedBugs } from './planted-bugs.ts'
import { plantedCopy } from './planted-copy.ts'
import { scenarios } from './scenarios.ts'

const tsx = fileURLToPath(import.meta.resolve('tsx'))
const here = fileURLToPath(new URL('.', import.meta.url))

/** Records seeds with the code as it is, and plays them with the code that has a mistake in it. */
export function replayWithBugs(bugs: typeof plantedBugs, seeds: number, seen = /  /): void {
  test.each(bugs)('CO2 a recording shows that $what', { timeout: 180_000 }, async (bug) => {
    const folder = await mkdtemp(join(tmpdir(), 'flotilla-recordings-'))
    onTestFinished(() => rm(folder, { recursive: true, force: true }))
    for (let seed = 0; seed < seeds; seed += 1) {
      for (const scenario of scenarios) {
        const { recording } = await playSeed(
          { ...scenario, fleet: { ...scenario.fleet, record: true } },
          { seed: `bug ${seed}`, size: fullSize, faults: allFaults, invariants: {} },
        )
        await writeFile(join(folder, `${scenario.name}-${seed}.ndjson`), recording)
      }
    }
    const [right, wrong] = [await replayed(here, folder), await replayed(join(await plantedCopy(bug), 'test/simulation'), folder)]
    expect(right).not.toContain('decides otherwise')
    expect(right.match(/is decided the same/g)).toHaveLength(seeds * scenarios.length)
    expect(wrong).toMatch(/The code decides otherwise at step \d+, \+\S+, after: /)
    expect(wrong).toMatch(seen)
  })
}

async function replayed(place: string, recordings: string): Promise<string> {
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['-C', 'flotilla-source', '--import', tsx, join(place, 'replay-recordings.ts'), recordings],
    { cwd: place, maxBuffer: 16 * 1024 * 1024 },
  )
  return stdout
}
