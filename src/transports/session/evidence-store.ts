import { mkdir, open, symlink } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { relativeProblem } from '../../protocol/path-text.ts'
import type { EvidenceFrame } from '../../protocol/worker-protocol.ts'

/** Where the evidence of an attempt lies whose work was done on another machine. */
export function evidenceRoot(folder: string): string {
  return join(folder, 'evidence')
}

/**
 * Puts what a scorer will read below the folder of its attempt, as it was at the worker, so that scorers look at one place wherever the work
 * was done (VE2). What is written is on disk when this resolves: the result that follows may be durable before anybody looks. A path that
 * does not stay in the root is left alone: its scorer refuses it by itself.
 */
export async function keepEvidenceFile(
  folder: string,
  { path, found }: Pick<EvidenceFrame, 'path' | 'found'>,
  bytes: Uint8Array,
): Promise<void> {
  const root = evidenceRoot(folder)
  await mkdir(root, { recursive: true })
  if (found === 'missing' || relativeProblem(path) !== undefined) return
  const target = join(root, path)
  if (found === 'no_file') {
    await mkdir(target, { recursive: true })
    return
  }
  await mkdir(dirname(target), { recursive: true })
  if (found === 'refused') return await symlink('/', target)
  await using file = await open(target, 'w')
  await file.writeFile(bytes)
  await file.datasync()
}
