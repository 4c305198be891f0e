import { expect, test } from 'vitest'
import { gatherAssignment } from '../../../src/engine/assignment.ts'
import type { Core } from '../../../src/engine/core.ts'
import type { Secrets } from '../../../src/ports/secrets.ts'
import type { WorkspaceOutcome } from '../../../src/ports/workspaces.ts'
import type { FleetSecurityPolicy } from '../../../src/protocol/security.ts'
import { createMemoryStore } from '../../../src/store/memory.ts'
import { watchedRun } from '../../support/watched-run.ts'

const found: WorkspaceOutcome = { root: '/w', environment: { HOME: '/' } }
const policy = (...keys: string[]) => ({ allowed_secrets: keys.map((key) => ({ key })) }) as unknown as FleetSecurityPolicy

interface Given {
  readonly spec?: Record<string, unknown>
  readonly security?: FleetSecurityPolicy
  readonly workspace?: WorkspaceOutcome | Promise<WorkspaceOutcome>
  readonly resolve?: Secrets['resolve']
}

/** Gathers for a task that is leased to `w1`, which may have secrets. */
function gathering({ spec = {}, security, workspace = found, resolve }: Given = {}) {
  const bench = watchedRun({ before: {}, a: spec }, security === undefined ? {} : { header: { security_policy: security } })
  bench.set('a', { status: 'enqueued' })
  bench.lease('a')
  const asked: string[][] = []
  const store = createMemoryStore({ clock: bench.clock, ids: bench.core.ids })
  const core = {
    ...bench.core,
    ...{ store, workspaces: { prepare: () => workspace } },
    secrets: {
      unresolvable: () => undefined,
      resolve: (refs, options) => {
        asked.push(refs.map(({ key }) => key))
        return resolve?.(refs, options) ?? Promise.resolve({ values: { token: 'hush' } })
      },
    },
  } satisfies Partial<Core>
  const closing = new AbortController()
  const parts = { core: core as Core, workers: bench.workers, signal: closing.signal }
  return { ...bench, asked, store, closing, gather: () => gatherAssignment(parts, bench.run, bench.task('a')) }
}

test('CO6 a task that asks for nothing and was never tried has its assignment at once', () => {
  const plain = { prepared: found, previous: [], dependencies: [] }
  expect(gathering().gather()).toEqual(plain)
  expect(gathering({ security: policy() }).gather()).toEqual(plain)
  expect(gathering({ workspace: { problems: ['It is not there.'] } }).gather()).toEqual({ problems: ['It is not there.'] })
})

test('WS2 SE5 what must be looked for is waited for, and what speaks against the attempt is told instead', async () => {
  const late = gathering({ workspace: Promise.resolve(found), security: policy() })
  expect(await late.gather()).toEqual({ prepared: found, previous: [], dependencies: [] })
  expect(late.asked).toEqual([])
  const missing = gathering({ workspace: Promise.resolve({ problems: ['It is not there.'] }), security: policy('token') })
  expect(await missing.gather()).toEqual({ problems: ['It is not there.'] })
  expect(missing.asked).toEqual([])
  const secret = gathering({ security: policy('token') })
  expect(await secret.gather()).toEqual({ prepared: found, previous: [], dependencies: [], secrets: { token: 'hush' } })
  expect(secret.asked).toEqual([['token']])
  const nowhere = gathering({ security: policy('token'), resolve: () => Promise.resolve({ problems: ['It is nowhere.'] }) })
  expect(await nowhere.gather()).toEqual({ problems: ['It is nowhere.'] })
})

test('RE5 SC5 the worker of an attempt gets the receipts of the attempts before, and those of its dependencies', async () => {
  const bench = gathering({ spec: { depends_on: ['before'] } })
  await bench.store.open({ instance: 'writer' })
  const receipts = ['first', 'second', 'of before'].map((evidence) => ({ run_id: 'r', result: 'fail', evidence }) as never)
  const entries = receipts.map((receipt, index) => ({ seq: index + 1, at: 0, kind: 'task.stepped', receipt }))
  await bench.store.append([{ run: 'r', after: 0, entries: entries as never }])
  bench.task('a').receipts = [1, 2]
  bench.task('before').receipts = [3]
  expect(await bench.gather()).toEqual({
    prepared: found,
    previous: receipts.slice(0, 2),
    dependencies: [{ task_id: 'before', receipt: receipts[2] }],
  })
})

test('SE5 a worker whose level may have no secrets gets none, and they are not even looked for', async () => {
  const bench = gathering({ security: policy('token') })
  ;(bench.workerNamed('w1').facts as { trust: string }).trust = 'sandbox'
  expect(await bench.gather()).toEqual({ prepared: found, previous: [], dependencies: [] })
  expect(bench.asked).toEqual([])
})

test('SE5 a source that does not answer is waited for 30 s, or until the fleet closes', async () => {
  for (const ending of ['time', 'close'] as const) {
    const aborted: boolean[] = []
    const bench = gathering({
      security: policy('token'),
      resolve: (_, { signal }) =>
        new Promise((resolve) =>
          signal.addEventListener('abort', () => (aborted.push(true), resolve({ problems: ['It did not answer.'] }))),
        ),
    })
    const gathered = bench.gather()
    await bench.clock.advance(29_999)
    expect(aborted).toEqual([])
    if (ending === 'close') bench.closing.abort()
    else await bench.clock.advance(1)
    expect(await gathered).toEqual({ problems: ['It did not answer.'] })
    expect(bench.clock.pending).toBe(0)
  }
})
