import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { diskFiles } from '../../src/host/files.ts'
import { sha256 } from '../../src/host/sha256.ts'
import type { Files } from '../../src/ports/files.ts'
import { FleetError } from '../../src/protocol/errors.ts'
import { memoryBlobs } from '../../src/store/memory-blobs.ts'
import { createCollector } from '../../src/workspace/collector.ts'
import { scratch } from '../fixtures/scratch.ts'

/** What became of artifacts that were swapped for links while they were collected. */
export interface RaceReport {
  /** Collected with the bytes that lie inside. */
  readonly collected: number
  readonly refused: number
  /** Collected with the bytes of a file outside. */
  readonly escaped: number
  /** Refusals with another code than `artifact_refused`. */
  readonly crashes: readonly string[]
}

const swapper = fileURLToPath(new URL('../fixtures/swap-links.mjs', import.meta.url))

/** Collects artifacts while another process swaps them, and the folder that they are in, for links that lead out. */
export async function collectWhileSwapping(count: number, files: Files = diskFiles()): Promise<RaceReport> {
  await using folder = await scratch({ 'outside/report.md': 'a secret of somebody else' })
  const [attempt, root] = [join(folder.path, 'attempt'), join(folder.path, 'root')]
  await mkdir(attempt)
  await mkdir(root)
  const child = spawn(process.execPath, [swapper, attempt, join(folder.path, 'outside')], { stdio: ['pipe', 'pipe', 'inherit'] })
  const exited = once(child, 'exit')
  await once(child.stdout, 'data')
  const inside = `sha256:${sha256(new TextEncoder().encode('inside'))}`
  const outside = `sha256:${sha256(new TextEncoder().encode('a secret of somebody else'))}`
  const collector = createCollector({
    files,
    blobs: memoryBlobs(),
    sha256,
    limits: { attemptArtifacts: count + 1, attemptBytes: 1e9 },
  })
  const key = { run_id: 'r', task_id: 'a', attempt: 1 }
  let [collected, refused, escaped] = [0, 0, 0]
  const crashes: string[] = []
  for (let report = 1; report <= count; report++) {
    const path = report % 2 === 0 ? 'report.md' : 'dir/report.md'
    try {
      const { checksum } = await collector.collect(
        { ...key, folder: attempt, root },
        { ...key, type: 'artifact', report, kind: 'report', path },
      )
      if (checksum === inside) collected += 1
      if (checksum === outside) escaped += 1
    } catch (error) {
      refused += 1
      if (!FleetError.is(error, 'artifact_refused')) crashes.push(String(error))
    }
  }
  child.stdin.end()
  await exited
  return { collected, refused, escaped, crashes }
}
