import { expect, test } from 'vitest'
import { budgetLeft, crossing, outOfTime, overBudgetOf, refuseOverBudget } from '../../../src/engine/budget.ts'
import { decidedRun } from '../../support/decided-run.ts'

const spent = { tokens: 0, toolCalls: 0, ms: 0 }

test('BU2 all that a limit allows may be spent; only time is up when it is used up', () => {
  expect(crossing('task', { max_tokens: 10 }, { ...spent, tokens: 10 })).toBe(undefined)
  expect(crossing('task', { max_tool_calls: 3 }, { ...spent, toolCalls: 3 })).toBe(undefined)
  expect(crossing('task', { max_seconds: 2 }, { ...spent, ms: 1_999 })).toBe(undefined)
  expect(crossing('task', { max_tokens: 10 }, { ...spent, tokens: 11 })).toEqual({
    limit: 'max_tokens',
    reason: 'The budget of the task is spent: 11 of 10 tokens (max_tokens).',
  })
  expect(crossing('run', { max_tool_calls: 3 }, { ...spent, toolCalls: 4 })).toEqual({
    limit: 'max_tool_calls',
    reason: 'The budget of the run is spent: 4 of 3 tool calls (max_tool_calls).',
  })
  expect(crossing('task', { max_seconds: 2 }, { ...spent, ms: 2_000 })).toEqual({
    limit: 'max_seconds',
    reason: 'The budget of the task is spent: 2 of 2 seconds (max_seconds).',
  })
})

test('BU2 a limit that is not named bounds nothing, and of several the first that is crossed is told', () => {
  const much = { tokens: 1e9, toolCalls: 1e9, ms: 1e12 }
  expect(crossing('task', {}, much)).toBe(undefined)
  expect(crossing('task', { max_seconds: 1, max_tool_calls: 5 }, { ...much, toolCalls: 5 })?.limit).toBe('max_seconds')
  expect(crossing('task', { max_seconds: 1, max_tokens: 5 }, much)?.limit).toBe('max_tokens')
})

test('BU2 time that a deadline found used up is told as used up, whatever the wall clock says', () => {
  expect(outOfTime('task', { max_seconds: 60 }, { ...spent, ms: 59_998 }).reason).toContain('60 of 60 seconds')
  expect(outOfTime('run', { max_seconds: 60 }, { ...spent, ms: 61_234.5 })).toEqual({
    limit: 'max_seconds',
    reason: 'The budget of the run is spent: 61.235 of 60 seconds (max_seconds).',
  })
})

test('BU2 what nothing is left for is refused with the reason', () => {
  const over = { limit: 'max_tokens', reason: 'It is spent.' } as const
  expect(() => refuseOverBudget(over, 'nothing can be restarted')).toThrow(
    expect.objectContaining({
      code: 'budget_exceeded',
      message: expect.stringContaining('It is spent. So nothing can be restarted.') as string,
    }),
  )
  expect(() => refuseOverBudget(undefined, 'nothing can be restarted')).not.toThrow()
})

test('BU2 what is over budget is so by what its worker was told, by its own spend, or by its run', () => {
  const told = { limit: 'max_tokens', reason: 'It was told.' } as const
  const ofRun = { limit: 'max_seconds', reason: 'The run is spent.' } as const
  const bench = decidedRun({ a: { budget: { max_tokens: 5 } }, b: {} }, { header: { budget: { max_tokens: 99 } } })
  const over = (id: string) => overBudgetOf(bench.run, bench.task(id), bench.clock.now())
  expect([over('a'), over('b')]).toEqual([undefined, undefined])
  bench.set('a', { inputTokens: 3, outputTokens: 3 })
  expect(over('a')).toMatchObject({ limit: 'max_tokens' })
  expect(over('a')?.reason).toContain('budget of the task is spent: 6 of 5 tokens')
  bench.set('a', { overBudget: told })
  expect(over('a')).toEqual(told)
  bench.decide(function* () {
    yield { on: 'r', kind: 'run.over_budget', run: { overBudget: ofRun } }
  })
  expect([over('a'), over('b')]).toEqual([told, ofRun])
})

test('BU2 what is left for an attempt is the least that task and run leave, whole, and never less than nothing', async () => {
  const left = async (budget: object | undefined, ofRun: object | undefined) => {
    const bench = decidedRun({ a: { budget }, b: {} }, { header: ofRun === undefined ? {} : { budget: ofRun } })
    bench.set('a', { inputTokens: 10, toolCalls: 2, spentMs: 1_400 })
    bench.lease('b')
    await bench.clock.advance(2_000)
    return budgetLeft(bench.run, bench.task('a'), bench.clock.now())
  }
  expect(await left(undefined, undefined)).toBe(undefined)
  expect(await left({}, undefined)).toEqual({})
  expect(await left({ max_tokens: 15, max_tool_calls: 1, max_seconds: 5 }, undefined)).toEqual({
    ...{ max_tokens: 5, max_tool_calls: 0, max_seconds: 3 },
  })
  expect(await left(undefined, { max_seconds: 10 })).toEqual({ max_seconds: 6 })
  expect(await left({ max_tokens: 15, max_seconds: 5 }, { max_tokens: 12, max_seconds: 60, max_tool_calls: 3 })).toEqual({
    ...{ max_tokens: 2, max_tool_calls: 1, max_seconds: 3 },
  })
})
