import { expect, test } from 'vitest'
import { createGates } from '../../../src/engine/gates.ts'
import type { ConcurrencyLimits, Gates } from '../../../src/engine/gates.ts'
import { createLimitGate } from '../../../src/engine/limit-gate.ts'
import type { TaskGates } from '../../../src/engine/task-gates.ts'

const ofKey = (key: string): TaskGates => ({ signature: key, class: undefined, key, claims: undefined })
const holder = { run: 'r', task: 't' }

/** Gates, and the timers that they set: milliseconds and what comes then. */
function gatesWith(limits: ConcurrencyLimits): { readonly gates: Gates; readonly timers: [number, () => void][] } {
  const timers: [number, () => void][] = []
  return { gates: createGates({ limits, later: (ms, act) => timers.push([ms, act]) }), timers }
}

const closedFor = (gates: Gates, key: string, now: number) => [...gates.against(ofKey(key), now)]

test('SC6 a limit counts until nothing is held of it, and the interval of its last start is over', () => {
  const gate = createLimitGate('class_limit', 'build', { atOnce: 2, perInterval: { starts: 3, intervalMs: 100 } })
  expect(gate.isIdle(0)).toBe(true)
  gate.held = 1
  expect(gate.isIdle(0)).toBe(false)
  for (const at of [1_000, 1_010, 1_050]) gate.started(at)
  expect(gate.isIdle(5_000)).toBe(false)
  gate.held = 0
  expect(gate.isIdle(1_149)).toBe(false)
  expect(gate.isIdle(1_150)).toBe(true)
})

test('SC6 a limit without an interval counts what is held, and nothing else', () => {
  const gate = createLimitGate('key_limit', 'k', { atOnce: 1 })
  gate.started(1_000)
  expect(gate.isIdle(1_000)).toBe(true)
  expect(gate.closed(1_000)).toBe(undefined)
  gate.held = 1
  expect(gate.closed(1_000)).toEqual({ message: 'The concurrency key k has its 1 lease(s) at once.', opensAt: undefined })
})

test('SC6 starts leave the count one interval after they began, to the millisecond', () => {
  const gate = createLimitGate('class_limit', 'api', { perInterval: { starts: 2, intervalMs: 100 } })
  gate.started(1_000)
  expect(gate.closed(1_000)).toBe(undefined)
  gate.started(1_030)
  expect(gate.closed(1_099)?.opensAt).toBe(1_100)
  expect(gate.closed(1_100)).toBe(undefined)
  gate.started(1_100)
  expect(gate.closed(1_100)?.opensAt).toBe(1_130)
})

test('SC6 LE5 a wall clock that went back holds a limit shut for one interval at most', () => {
  const gate = createLimitGate('class_limit', 'api', { perInterval: { starts: 1, intervalMs: 100 } })
  gate.started(1_000)
  expect(gate.closed(400)?.opensAt).toBe(500)
})

test('SC6 CO9 keys do not pile up, and what still counts of one is not forgotten with the others', () => {
  const { gates } = gatesWith({ everyKey: { atOnce: 1, perInterval: { starts: 1, intervalMs: 60_000 } } })
  gates.hold(holder, ofKey('held'))
  gates.started(ofKey('held'), 0)
  gates.started(ofKey('recent'), 50_000)
  // Far more keys than are kept, so that those without a use go.
  for (let n = 0; n < 5_000; n += 1) gates.started(ofKey(`k${n}`), n < 2_500 ? 0 : 70_000)
  expect(closedFor(gates, 'held', 70_000)).toMatchObject([{ id: 'key_limit:held', opensAt: undefined }])
  expect(closedFor(gates, 'recent', 70_000)).toMatchObject([{ id: 'key_limit:recent', opensAt: 110_000 }])
  expect(closedFor(gates, 'k4999', 70_000)).toMatchObject([{ opensAt: 130_000 }])
  expect(closedFor(gates, 'k0', 70_000)).toEqual([])
})

test('SC6 what waits at a gate hears once that it may have opened: by a release, or by time', () => {
  const { gates, timers } = gatesWith({ keys: { k: { atOnce: 1 }, timed: { perInterval: { starts: 1, intervalMs: 100 } } } })
  const heard: string[] = []
  const listen = (id: string) => heard.push(id)
  gates.hold(holder, ofKey('k'))
  const [byRelease] = closedFor(gates, 'k', 0)
  gates.waitAt(byRelease!, 0, listen)
  expect(timers).toEqual([])
  gates.release(holder, ofKey('k'))
  gates.release(holder, ofKey('k'))
  expect(heard).toEqual(['key_limit:k'])

  gates.started(ofKey('timed'), 1_000)
  const [byTime] = closedFor(gates, 'timed', 1_040)
  for (const other of [listen, listen, (id: string) => heard.push(`too: ${id}`)]) gates.waitAt(byTime!, 1_040, other)
  expect(timers.map(([ms]) => ms)).toEqual([60])
  timers[0]![1]()
  expect(heard).toEqual(['key_limit:k', 'key_limit:timed', 'too: key_limit:timed'])
  gates.waitAt(byTime!, 1_100, listen)
  expect(timers.map(([ms]) => ms)).toEqual([60, 1])
})

test('SC7 a claim is held until it is given back, and names who holds it', () => {
  const { gates } = gatesWith({})
  const writes = (path: string): TaskGates => ({ ...ofKey('-'), key: undefined, claims: { paths: [path], names: [] } })
  gates.hold({ ...holder, attempt: 2 }, writes('/w/src'))
  const heard: string[] = []
  const [closed, ...more] = [...gates.against(writes('/w/src/a'), 0)]
  expect(more).toEqual([])
  expect(closed).toMatchObject({ for: 'claim', id: 'claim:r/t/2', holder: { ...holder, attempt: 2 } })
  expect(closed?.message).toMatch(/^It waits for attempt 2 of the task t, which has not ended yet, of run r: both claim /)
  expect([...gates.against(writes('/w/docs'), 0)]).toEqual([])
  gates.waitAt(closed!, 0, (id) => heard.push(id))
  gates.release({ ...holder, attempt: 2 }, writes('/w/src'))
  expect([heard, [...gates.against(writes('/w/src/a'), 0)]]).toEqual([['claim:r/t/2'], []])
})
