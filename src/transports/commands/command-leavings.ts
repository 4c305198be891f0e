import { constants } from 'node:fs'
import { open, readdir, rm } from 'node:fs/promises'
import { join, posix, sep } from 'node:path'
import type { Json } from '../../protocol/json.ts'
import { copyJson } from '../../protocol/json-copy.ts'
import { artifactsFolder } from './command-launch.ts'

/** `output.json` may be as large as a message of the wire (HO8). */
const outputLimitBytes = 1024 * 1024

/** What a command left in its attempt's folder. */
export interface Leavings {
  /** Artifacts to report, sorted by path; the path is relative to the attempt's folder. Links and the like are among them: whoever collects refuses them with the reason. */
  readonly artifacts: readonly { readonly kind: string; readonly path: string }[]
  /** What `output.json` holds. */
  readonly output?: Json
  /** What was left out, as lines for the log. */
  readonly notes: readonly string[]
}

/**
 * Looks at what a command left: at most `limit` artifacts, and one more so that the refusal of what is over is said. `keepOutput`: whether
 * `output.json` stays once it was read.
 */
export async function gatherLeavings(
  folder: string,
  { limit, keepOutput = true }: { readonly limit: number; readonly keepOutput?: boolean },
): Promise<Leavings> {
  const paths = (await listAll(artifactsFolder(folder))).toSorted()
  const outputPath = join(folder, 'output.json')
  const output = await readOutput(outputPath)
  if (!keepOutput) await rm(outputPath, { force: true, recursive: true })
  const over = paths.length - limit - 1
  return {
    artifacts: paths.slice(0, limit + 1).map((path) => ({ kind: kindOf(path), path: posix.join('artifacts', path) })),
    ...(output.json === undefined ? {} : { output: output.json }),
    notes: [
      ...(over > 0 ? [`[${over} more artifacts left out: an attempt may leave ${limit}]\n`] : []),
      ...(output.problem === undefined ? [] : [`[output.json left out: ${output.problem}]\n`]),
    ],
  }
}

/** The first folder, or the name up to its first dot: `report.md` and `report/a.txt` are both reports. */
function kindOf(path: string): string {
  const [first = path] = path.split('/')
  if (first !== path) return first
  return first.split('.').find((part) => part !== '') ?? first
}

async function listAll(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => [])
  return entries
    .filter((entry) => !entry.isDirectory())
    .map((entry) =>
      join(entry.parentPath, entry.name)
        .slice(folder.length + 1)
        .split(sep)
        .join('/'),
    )
}

async function readOutput(path: string): Promise<{ readonly json?: Json; readonly problem?: string }> {
  // O_NONBLOCK: opening a fifo must not wait for its writer.
  const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK).catch(
    (error: NodeJS.ErrnoException) => error,
  )
  if (file instanceof Error) return file.code === 'ENOENT' ? {} : { problem: file.message }
  try {
    const facts = await file.stat()
    if (!facts.isFile()) return { problem: 'it is no regular file' }
    if (facts.size > outputLimitBytes) return { problem: `it is larger than ${outputLimitBytes} bytes` }
    const { value, problems } = copyJson(JSON.parse(await file.readFile('utf8')))
    return problems.length === 0 && value !== undefined
      ? { json: value }
      : { problem: 'it has a key `__proto__`, or is nested too deep' }
  } catch (error) {
    return { problem: String(error) }
  } finally {
    await file.close()
  }
}
