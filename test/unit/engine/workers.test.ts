import { describe, expect, test } from 'vitest'
import type { FleetWorkerStatus } from '../../../src/protocol/worker.ts'
import { leaseTerms, usualTerms } from '../../../src/security/trust.ts'
import { createWorkers } from '../../../src/engine/workers.ts'
import type { Worker } from '../../../src/engine/workers.ts'
import { decidedRun } from '../../support/decided-run.ts'
import { registeredWorker } from '../../support/registered-worker.ts'
import { createTestTransport } from '../../support/test-transport.ts'

/** Workers, with how many leases and lingering attempts each has. */
function crew(...members: Worker[]) {
  const held = new Map<string, number>()
  const lingering = new Map<string, number>()
  const counts = { held: (id: string) => held.get(id) ?? 0, lingering: (id: string) => lingering.get(id) ?? 0 }
  const workers = createWorkers(counts, 2)
  for (const member of members) workers.add(member)
  return { workers, held, lingering }
}

const online = (id: string, facts: Parameters<typeof registeredWorker>[1] = {}) =>
  registeredWorker(id, { status: 'online', ...facts })
const plain = decidedRun({ a: {}, handled: { handler: 'h' } })
const { requirement } = plain.task('a')
const slots = (count: number) => ({ facts: { slots: count } })

test('WO1 workers are known by their ids, in the order in which they came', () => {
  const [a, b] = [online('a'), online('b')]
  const { workers } = crew(a, b)
  expect(workers.all()).toEqual([a, b])
  expect(workers.get('b')).toBe(b)
  expect(workers.get('c')).toBeUndefined()
})

describe('SC1 slots', () => {
  test.each<[FleetWorkerStatus, number]>([
    ['unknown', 0],
    ['online', 3],
    ['busy', 3],
    ['offline', 0],
    ['unhealthy', 0],
    ['draining', 0],
    ['retired', 0],
  ])('SC1 WO a worker that is %s has %i of its 3 slots to give', (status, free) => {
    const worker = registeredWorker('w1', { status, ...slots(3) })
    const { workers } = crew(worker)
    expect(workers.free(worker)).toBe(free)
    expect(workers.anyFree()).toBe(free > 0)
    expect(workers.freeFor(requirement, null)?.id).toBe(free > 0 ? 'w1' : undefined)
  })

  test('SC1 WO3 leases take slots, and so does what lingers; one that has more than it should has none to give', () => {
    const worker = online('w1', slots(3))
    const { workers, held, lingering } = crew(worker)
    held.set('w1', 1)
    expect(workers.free(worker)).toBe(2)
    lingering.set('w1', 1)
    expect(workers.free(worker)).toBe(1)
    lingering.set('w1', 2)
    expect([workers.free(worker), workers.anyFree(), workers.freeFor(requirement, null)]).toEqual([0, false, undefined])
    lingering.set('w1', 4)
    expect([workers.free(worker), workers.anyFree(), workers.freeFor(requirement, null)]).toEqual([0, false, undefined])
  })

  test('WO1 WO3 who rests takes nothing, nor who has written off as many attempts as may be at once', () => {
    const worker = online('w1')
    const { workers } = crew(worker)
    worker.resting = true
    expect(workers.free(worker)).toBe(0)
    worker.resting = false
    worker.abandoned.add('r/a/1')
    expect(workers.free(worker)).toBe(1)
    worker.abandoned.add('r/b/1')
    expect(workers.free(worker)).toBe(0)
    worker.abandoned.delete('r/a/1')
    expect(workers.free(worker)).toBe(1)
  })

  test('SC1 one free worker is enough for any to be free, and none is with none', () => {
    const { workers, held } = crew(online('a'), online('b'))
    held.set('a', 1)
    expect(workers.anyFree()).toBe(true)
    held.set('b', 1)
    expect(workers.anyFree()).toBe(false)
    expect(crew().workers.anyFree()).toBe(false)
  })
})

describe('the choice', () => {
  test('SC3 a worker is chosen that fits and is free, with the incarnation that takes the lease', () => {
    const handler = { serves: { handlers: ['h'], commands: false, plain: false } }
    const transport = { ...createTestTransport(), startsAtOnce: true }
    const { workers, held } = crew(online('a'), online('b', { facts: handler, transport, incarnation: 'b-7' }))
    expect(workers.freeFor(plain.task('handled').requirement, null)).toEqual({ id: 'b', incarnation: 'b-7', startsAtOnce: true })
    expect(workers.freeFor(requirement, null)).toEqual({ id: 'a', incarnation: 'a-1', startsAtOnce: false })
    held.set('b', 1)
    expect(workers.freeFor(plain.task('handled').requirement, null)).toBeUndefined()
  })

  test('SC1 the worker with the most free slots is chosen; of equal ones the first', () => {
    const { workers, held } = crew(online('a', slots(2)), online('b', slots(3)), online('c', slots(3)))
    expect(workers.freeFor(requirement, null)?.id).toBe('b')
    held.set('b', 1)
    expect(workers.freeFor(requirement, null)?.id).toBe('c')
    held.set('c', 2)
    expect(workers.freeFor(requirement, null)?.id).toBe('a')
  })

  test('RE4 another worker is preferred to the one that failed last, however many slots it has, and that one to none', () => {
    const { workers, held } = crew(online('a', slots(1)), online('b', slots(5)), online('c', slots(2)))
    expect(workers.freeFor(requirement, 'b')?.id).toBe('c')
    expect(workers.freeFor(requirement, 'c')?.id).toBe('b')
    expect(workers.freeFor(requirement, 'a')?.id).toBe('b')
    held.set('a', 1)
    held.set('c', 2)
    expect(workers.freeFor(requirement, 'b')?.id).toBe('b')
    // The one to avoid comes first in the line.
    const two = crew(online('a', slots(5)), online('b', slots(1)))
    expect(two.workers.freeFor(requirement, 'a')?.id).toBe('b')
    // And it comes last.
    expect(crew(online('a', slots(1)), online('b', slots(5))).workers.freeFor(requirement, 'b')?.id).toBe('a')
  })

  test('SC3 workers that fit are those that there are: later ones too, retired ones no more', () => {
    const [a, b] = [online('a'), registeredWorker('b', { status: 'offline' })]
    const { workers, held } = crew(a)
    expect(workers.matching(requirement)).toEqual([a])
    workers.add(b)
    workers.add(online('other', { facts: { serves: { handlers: ['h'], commands: false, plain: false } } }))
    expect(workers.matching(requirement)).toEqual([a, b])
    expect(workers.matching(plain.task('handled').requirement).map(({ facts }) => facts.id)).toEqual(['other'])
    held.set('a', 1)
    expect(workers.matching(requirement)).toEqual([a, b])
    workers.step(a, { type: 'retire' })
    expect(workers.matching(requirement)).toEqual([b])
  })
})

describe('its status', () => {
  test('WO a step that its machine does not accept changes nothing', () => {
    const worker = online('w1')
    const { workers } = crew(worker)
    workers.step(worker, { type: 'hello', leases: 0, draining: true })
    expect(worker.status).toBe('online')
    workers.step(worker, { type: 'unwell' })
    expect(worker.status).toBe('unhealthy')
  })

  test.each<[FleetWorkerStatus, number, FleetWorkerStatus]>([
    ['online', 1, 'busy'],
    ['online', 0, 'online'],
    ['busy', 0, 'online'],
    ['busy', 2, 'busy'],
    ['draining', 0, 'retired'],
    ['draining', 1, 'draining'],
    ['offline', 1, 'offline'],
    ['unhealthy', 0, 'unhealthy'],
  ])('WO a worker that is %s and holds %i leases is %s', (status, leases, settled) => {
    const worker = registeredWorker('w1', { status })
    const { workers, held } = crew(worker)
    held.set('w1', leases)
    workers.settle(worker)
    expect(worker.status).toBe(settled)
  })
})

describe('the terms of a lease', () => {
  const sandboxed = { enforces: { network: true, fileWrites: true, environment: true, processes: true } } as const
  const policy = (grants: object[] = []) => ({
    security_policy: {
      ...{ default_trust_level: 'sandbox', allowed_secrets: [], capability_grants: grants, max_trust_level: 'operator' },
      ...{ require_identity_verification: false, allow_parallel_reads: false },
    } as never,
  })

  test('SE1 they are those of the level of the worker, and the usual ones at the usual level or of a worker that is gone', () => {
    const { workers } = crew(
      online('usual', { facts: { trust: 'local' } }),
      online('operator', { facts: { trust: 'operator' } }),
      online('sandbox', { facts: { trust: 'sandbox', ...sandboxed } }),
    )
    const task = plain.task('a')
    expect(workers.termsOf(task, 'usual')).toBe(usualTerms)
    expect(workers.termsOf(task, 'nobody')).toBe(usualTerms)
    expect(workers.termsOf(task, 'operator').level).toBe('operator')
    const none = { grants: { network: false, writes: [] }, writablePaths: [] }
    expect(workers.termsOf(task, 'sandbox')).toEqual(leaseTerms('sandbox', { ...none, isEnforced: true }))
    expect(workers.termsOf(task, 'sandbox').confined).toEqual({ network: false, writable_paths: [] })
  })

  test('SE4 WS4 they hold what was granted, narrowed to what the task wants to write', () => {
    const grants = [{ capability: 'network' }, { capability: 'workspace-write', scope: 'src' }]
    const { task } = decidedRun({ a: { workspace: { writable_paths: ['src/a'] } }, b: {} }, { header: policy(grants) })
    const { workers } = crew(online('w1', { facts: { trust: 'sandbox', ...sandboxed } }))
    expect(workers.termsOf(task('a'), 'w1').confined).toEqual({ network: true, writable_paths: ['src/a'] })
    expect(workers.termsOf(task('b'), 'w1').confined).toEqual({ network: true, writable_paths: ['src'] })
  })

  test('SE2 of a worker that enforces nothing they say so', () => {
    const { workers } = crew(online('w1', { facts: { trust: 'sandbox', runsUnenforced: true } }))
    const terms = workers.termsOf(plain.task('a'), 'w1')
    expect([terms.level, terms.confined]).toEqual(['sandbox', undefined])
  })
})
