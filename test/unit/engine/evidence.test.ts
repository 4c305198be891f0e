import { expect, test } from 'vitest'
import type { Core } from '../../../src/engine/core.ts'
import type { DecideContext } from '../../../src/engine/decide.ts'
import { boundedEvidence, keepEvidence } from '../../../src/engine/evidence.ts'
import { runScorer } from '../../../src/engine/run-scorer.ts'
import type { RunState, TaskState } from '../../../src/engine/state.ts'
import type { Decide } from '../../../src/engine/turns.ts'
import { systemClock } from '../../../src/host/clock.ts'
import { sha256 } from '../../../src/host/sha256.ts'
import { systemIds } from '../../../src/host/ids.ts'
import { createMemoryStore } from '../../../src/store/memory.ts'
import { createSecretsInUse } from '../../../src/security/secrets-in-use.ts'

const { blobs } = createMemoryStore({ clock: systemClock(), ids: systemIds() })

test('VE6 evidence of up to 4 KiB lies in the receipt, and in no blob', async () => {
  const text = 'x'.repeat(4096)
  expect(boundedEvidence(text)).toBe(text)
  expect(await keepEvidence(blobs, 'r', text)).toEqual([])
})

test('VE6 evidence above 4 KiB is kept whole in a blob, and the receipt holds its beginning', async () => {
  const text = 'é'.repeat(3_000)
  const bytes = new TextEncoder().encode(text)
  expect(await keepEvidence(blobs, 'r', text)).toEqual([
    { kind: 'evidence', path: 'evidence.txt', checksum: `sha256:${sha256(bytes)}`, mime_type: 'text/plain', size_bytes: 6_000 },
  ])
  expect(new TextDecoder().decode(await blobs.open('r', sha256(bytes)))).toBe(text)
  expect(new TextEncoder().encode(boundedEvidence(text)).length).toBeLessThanOrEqual(4096)
  expect(boundedEvidence(text)).toMatch(/^é+…$/)
})

test('VE6 evidence is cut where it no longer fits, by bytes, never inside a character, and says that there was more', () => {
  const bytes = (text: string) => new TextEncoder().encode(text).length
  // Short in units, and short in bytes though long in what units could take.
  for (const text of ['x'.repeat(1_365), 'x'.repeat(1_366), 'é'.repeat(2_048), '€'.repeat(1_365)])
    expect(boundedEvidence(text)).toBe(text)
  expect(boundedEvidence('x'.repeat(4_097))).toBe(`${'x'.repeat(4_093)}…`)
  expect(boundedEvidence('€'.repeat(1_366))).toBe(`${'€'.repeat(1_364)}…`)
  const cut = boundedEvidence(`${'x'.repeat(4_091)}${'😀'.repeat(9)}`)
  expect(cut).toBe(`${'x'.repeat(4_091)}…`)
  expect(bytes(boundedEvidence('é'.repeat(4_000)))).toBe(4_095)
})

test('VE6 a verdict’s evidence above 4 KiB is in the store before its receipt, which names it', async () => {
  const text = 'é'.repeat(3_000)
  const [run, task] = verifying('b')
  const receipts: unknown[] = []
  const core = {
    store: { blobs },
    state: { runs: new Map([['b', run]]) },
    workspaces: { prepare: async () => ({ root: '/base' }) },
    deadlines: { after: () => () => undefined },
    defaults: { scorerTimeoutMs: 1 },
    inUse: createSecretsInUse(),
    folderOf: () => '/attempt',
    scorers: {
      exit_code: { effect: true, score: async () => ({ result: 'pass', score: { value: 1, max: 1 }, evidence: text }) },
    },
    turns: {
      report(decide: Decide<void>) {
        const [ending] = decide({ now: 0 } as DecideContext) as Iterable<{ receipt?: unknown }>
        receipts.push(ending?.receipt)
      },
    },
  } as unknown as Core
  await runScorer(core, run, task, new AbortController().signal)
  const key = sha256(new TextEncoder().encode(text))
  expect(new TextDecoder().decode(await blobs.open('b', key))).toBe(text)
  const named = [expect.objectContaining({ kind: 'evidence', checksum: `sha256:${key}`, size_bytes: 6_000 })]
  expect(receipts).toMatchObject([{ result: 'pass', evidence: boundedEvidence(text), artifacts: named }])
})

test('VE6 a verdict counts where its evidence cannot be kept', async () => {
  const full = { ...blobs, put: () => Promise.reject(new Error('no space')) }
  expect(await keepEvidence(full, 'r', 'x'.repeat(5_000))).toEqual([])
})

/** A run whose one task awaits the verdict of its scorer. */
function verifying(id: string): [RunState, TaskState] {
  const task = {
    id: 'a',
    status: 'verifying',
    attempt: 1,
    failures: 0,
    crashes: 0,
    worker: null,
    spec: { scorer: { kind: 'exit_code' }, expected_artifacts: [], input_files: [] },
    receipts: [],
    artifacts: [],
    workerSeqs: [],
    leasedAt: 0,
    spentMs: 0,
    inputTokens: 0,
    outputTokens: 0,
    toolCalls: 0,
    overBudget: null,
    pending: { output: null, exitCode: null },
  }
  return [
    { header: { id, workspace: '/base' }, tasks: new Map([['a', task]]) } as unknown as RunState,
    task as unknown as TaskState,
  ]
}
