import { expect, test } from 'vitest'
import { backoffMs, decideRetry } from '../../../src/engine/retry.ts'
import type { FailureCause } from '../../../src/engine/retry.ts'
import { FleetRetryPolicy } from '../../../src/protocol/task.ts'

const policy = (given: object = {}) => FleetRetryPolicy.parse(given)
const causes: readonly FailureCause[] = ['transport', 'task', 'verifier', 'timeout', 'stale']
const failed = (cause: FailureCause, final = false) => ({ cause, final })

test('RE1 an absent policy decides as {} does, for every cause and any number of failures', () => {
  for (const failures of [1, 2, 3, 4])
    for (const cause of causes)
      expect(decideRetry(undefined, failed(cause), failures)).toEqual(decideRetry(policy(), failed(cause), failures))
})

test('RE1 RE6 attempts that failed count, the first included; 0 and 1 both mean no retry, and the last failure exhausts them', () => {
  const retries = (max_attempts: number) =>
    [1, 2, 3].map((failures) => decideRetry(policy({ max_attempts }), failed('task'), failures).retry)
  expect([0, 1, 2, 3].map(retries)).toEqual([
    [false, false, false],
    [false, false, false],
    [true, false, false],
    [true, true, false],
  ])
  expect(decideRetry(policy({ max_attempts: 2 }), failed('task'), 2)).toEqual({ retry: false, delayMs: 0, exhausted: true })
})

test('RE3 every failure but verifier is retried, unless it is final; retry_on is the exact set', () => {
  const retried = (given: object, final = false) =>
    causes.filter((cause) => decideRetry(policy(given), failed(cause, final), 1).retry)
  expect(retried({})).toEqual(['transport', 'task', 'timeout', 'stale'])
  expect(retried({ retry_on: ['verifier', 'stale'] })).toEqual(['verifier', 'stale'])
  expect(retried({ retry_on: [] })).toEqual([])
  expect(retried({}, true)).toEqual([])
  // What is not wanted exhausts nothing.
  expect(decideRetry(policy(), failed('verifier'), 3)).toEqual({ retry: false, delayMs: 0, exhausted: false })
  expect(decideRetry(policy(), failed('task', true), 3)).toEqual({ retry: false, delayMs: 0, exhausted: false })
})

test('RE2 the wait grows by the multiplier with every failure, up to its bound, and saturates', () => {
  const terms = { initial_backoff_seconds: 2, max_backoff_seconds: 30, backoff_multiplier: 3 }
  expect([1, 2, 3, 4, 500].map((failures) => backoffMs(terms, failures))).toEqual([2_000, 6_000, 18_000, 30_000, 30_000])
  expect(backoffMs({ ...terms, initial_backoff_seconds: 0 }, 2_000)).toBe(0)
  const endless = { initial_backoff_seconds: 1, max_backoff_seconds: Number.MAX_VALUE, backoff_multiplier: 10 }
  expect(backoffMs(endless, 5_000)).toBe(Number.MAX_SAFE_INTEGER)
  expect(decideRetry(policy(terms), failed('task'), 2).delayMs).toBe(6_000)
})

test('RE2 jitter shortens the wait by up to half, to the millisecond', () => {
  const terms = policy({ initial_backoff_seconds: 10, max_backoff_seconds: 100 })
  const delays = [undefined, 0, 0.5, 0.333_33].map((jitter) => decideRetry(terms, failed('task'), 1, jitter).delayMs)
  expect(delays).toEqual([10_000, 10_000, 7_500, 8_333])
})
