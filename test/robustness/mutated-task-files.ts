import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { readTaskFile } from '../../src/cli/task-file.ts'
import { FleetError } from '../../src/protocol/index.ts'
import { scratch } from '../fixtures/scratch.ts'
import { createMutations } from '../support/mutations.ts'
import { workingTime } from './working-time.ts'

/** What became of mutated task files. */
export interface TaskFileReport {
  readonly read: number
  readonly refused: Readonly<Record<string, number>>
  /** What was thrown that is no refusal. */
  readonly crashes: readonly string[]
  /** The longest that one of them took, in milliseconds of work. */
  readonly slowest: number
}

const document = {
  name: 'a run',
  labels: { team: 'a' },
  security_policy: { allowed_secrets: ['KEY', { key: 'OTHER', source: 'env' }], max_trust_level: 'operator' },
  workers: [{ id: 'w1', name: 'One', host: { kind: 'local' }, capabilities: ['gpu'], max_concurrent_tasks: 2 }],
  tasks: [
    {
      id: 'a',
      name: 'A',
      instructions: 'Do it.',
      workspace: { root: 'sub', required_files: ['x.txt'], environment: { required: ['HOME'], allowlist: ['LANG'] } },
      scorer: { kind: 'regex_match', path: 'out.txt', pattern: '^ok$' },
      retry_policy: { max_attempts: 3, backoff_multiplier: 2 },
      metadata: { priority: -1, command: ['sh', '-c', 'true'] },
      timeout_seconds: 60,
    },
    {
      id: 'b',
      name: 'B',
      instructions: 'After it.',
      depends_on: ['a'],
      tags: ['late'],
      input: { nested: [{ deep: [1, 2, 3] }] },
    },
  ],
}

const toml = `name = "a run"
[labels]
team = "a"
[[tasks]]
id = "a"
name = "A"
instructions = """
Do it,
and well."""
not_before = 2026-01-01T00:00:00Z
scorer = { kind = "file_exists", path = "out.txt" }
metadata = { command = ["sh", "-c", "true"] }
[[tasks]]
id = "b"
name = "B"
instructions = 'After it.'
depends_on = ["a"]
[tasks.retry_policy]
max_attempts = 2
`

/** Reads mutated task files, JSON and TOML in turn, as the command line does. */
export async function readMutatedTaskFiles(count: number, seed: string): Promise<TaskFileReport> {
  await using folder = await scratch()
  const kinds = [
    ['tasks.json', createMutations([JSON.stringify(document), JSON.stringify(document.tasks)], `${seed} json`)],
    ['tasks.toml', createMutations([toml], `${seed} toml`)],
  ] as const
  const refused: Record<string, number> = {}
  const crashes: string[] = []
  let read = 0
  let slowest = 0
  for (let number = 0; number < count; number++) {
    const [name, mutations] = kinds[number % 2]!
    const path = join(folder.path, name)
    const bytes = mutations.next()
    await writeFile(path, bytes)
    const from = workingTime()
    try {
      await readTaskFile(path)
      read += 1
    } catch (error) {
      if (FleetError.is(error)) refused[error.code] = (refused[error.code] ?? 0) + 1
      else crashes.push(`${String(error)} of ${Buffer.from(bytes.subarray(0, 2_000)).toString('base64')}`)
    }
    slowest = Math.max(slowest, workingTime() - from)
  }
  return { read, refused, crashes, slowest }
}
