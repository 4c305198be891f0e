import { expect, test } from 'vitest'
import { rowOf } from '../../../src/engine/row.ts'
import { createRunState } from '../../../src/engine/state.ts'
import { decidedRun } from '../../support/decided-run.ts'

test('RU1 a run that is not opened is not listed', () => {
  expect(rowOf(undefined)).toBe(undefined)
  expect(rowOf(createRunState(decidedRun({}).run.header))).toBe(undefined)
})

test('RU2 RU7 a row says what a list tells of a run, with its counters once it has ended', () => {
  const bench = decidedRun({ a: {}, b: {} }, { header: { name: 'R', key: 'k', digest: 'd' } })
  const createdAt = bench.clock.now()
  const row = { id: 'r', name: 'R', key: 'k', digest: 'd', tasks: 2, createdAt }
  expect(rowOf(bench.run)).toStrictEqual({ ...row, status: 'queued', updatedAt: createdAt })
  bench.decide(function* (_, run) {
    const ended = { status: 'failed', updatedAt: createdAt + 5, completedAt: createdAt + 5 } as const
    yield { on: run.header.id, kind: 'run.stepped', run: ended }
  })
  bench.run.unsettled = 2
  expect(rowOf(bench.run)).toMatchObject({
    ...{ ...row, status: 'failed', updatedAt: createdAt + 5, completedAt: createdAt + 5, unsettled: 2 },
    counts: { queued: 2, failed: 0 },
  })
  expect(rowOf(decidedRun({}).run)).not.toHaveProperty('key')
})
