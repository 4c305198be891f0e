import { expect, test } from 'vitest'
import { workerLifecycle } from '../../../src/lifecycles/worker.ts'
import type { WorkerEvent } from '../../../src/lifecycles/worker.ts'

const events: readonly WorkerEvent[] = [
  { type: 'hello', leases: 0, draining: false },
  { type: 'recover', leases: 1, draining: false },
  { type: 'drain', leases: 1 },
  ...(['lease', 'idle', 'unwell', 'lost', 'retire'] as const).map((type) => ({ type })),
]

test('WO1 every worker can be retired, and that is its end: no event leads out of it', () => {
  for (const value of workerLifecycle.values) {
    const ways = events.filter((event) => workerLifecycle.step({ value, context: {} }, event) !== undefined)
    const isEnd = value === 'retired'
    expect(workerLifecycle.hasTag(value, 'ended'), value).toBe(isEnd)
    expect(ways.length > 0, value).toBe(!isEnd)
    if (!isEnd) expect(workerLifecycle.step({ value, context: {} }, { type: 'retire' })?.value).toBe('retired')
  }
})
