import { expect, test } from 'vitest'
import { createDeadlines } from '../../../src/engine/deadlines.ts'
import type { Clock } from '../../../src/ports/clock.ts'

interface Alarm {
  readonly at: number
  readonly keepAlive: boolean
}

/** A clock whose alarms ring when the test says so, however late that is. */
function handClock() {
  let now = 0
  const alarms = new Map<Alarm, () => void>()
  const clock: Pick<Clock, 'monotonic' | 'alarm'> = {
    monotonic: () => now,
    alarm(ms, act, { keepAlive }) {
      const alarm = { at: now + ms, keepAlive }
      alarms.set(alarm, act)
      return () => void alarms.delete(alarm)
    },
  }
  return {
    clock: clock as Clock,
    /** Every alarm that was set and not taken back. */
    set: () => [...alarms.keys()],
    pass: (ms: number) => void (now += ms),
    /** Time goes by, and whatever is due by then rings. */
    ring(ms: number) {
      now += ms
      for (const [alarm, act] of [...alarms]) if (alarm.at <= now && alarms.delete(alarm)) act()
    },
  }
}

function opened(keepAlive = () => true) {
  const hand = handClock()
  const deadlines = createDeadlines(hand.clock, { keepAlive })
  const acted: string[] = []
  return { ...hand, deadlines, acted, after: (ms: number, what: string) => deadlines.after(ms, () => acted.push(what)) }
}

test('LE5 deadlines of one moment act in the order in which they were set, however many there are', () => {
  const bench = opened()
  const names = Array.from({ length: 40 }, (_, index) => `d${index}`)
  for (const name of names) bench.after(10, name)
  bench.after(5, 'first')
  bench.ring(10)
  expect(bench.acted).toEqual(['first', ...names])
})

test('LE5 there is one wait, for the earliest deadline, and it is changed only for an earlier one', () => {
  const bench = opened()
  bench.after(20, 'b')
  const [first] = bench.set()
  bench.after(20, 'c')
  bench.after(30, 'd')
  expect(bench.set()).toEqual([{ at: 20, keepAlive: true }])
  expect(bench.set()[0]).toBe(first)
  bench.after(10, 'a')
  expect(bench.set()).toEqual([{ at: 10, keepAlive: true }])
  bench.ring(10)
  expect(bench.set()).toEqual([{ at: 20, keepAlive: true }])
  bench.ring(20)
  expect(bench.acted).toEqual(['a', 'b', 'c', 'd'])
  expect(bench.set()).toEqual([])
})

test('LE5 what is taken back is not waited for; what comes after it is', () => {
  const bench = opened()
  const back = [bench.after(10, 'a'), bench.after(20, 'b'), bench.after(30, 'c')]
  const [first] = bench.set()
  back[1]?.()
  expect(bench.set()[0]).toBe(first)
  back[0]?.()
  back[0]?.()
  bench.ring(10)
  expect(bench.set()).toEqual([{ at: 30, keepAlive: true }])
  back[2]?.()
  expect(bench.set()).toEqual([])
  bench.ring(60)
  expect(bench.acted).toEqual([])
})

test('LE5 a deadline can take back another of the same moment, or one that has acted', () => {
  const bench = opened()
  const acted: string[] = []
  const back: (() => void)[] = []
  back.push(bench.deadlines.after(10, () => (acted.push('a'), back[1]?.(), back[0]?.())))
  back.push(bench.deadlines.after(10, () => acted.push('b')))
  bench.after(20, 'c')
  bench.ring(10)
  expect(acted).toEqual(['a'])
  bench.ring(10)
  expect(bench.acted).toEqual(['c'])
})

test('LE5 a deadline that lies in the past acts at once', () => {
  const bench = opened()
  bench.after(-5, 'late')
  expect(bench.set()).toEqual([{ at: 0, keepAlive: true }])
})

test('CO9 deadlines that were taken back by the thousand leave those that stand as they were', () => {
  const bench = opened()
  bench.after(1, 'first')
  for (const [from, many] of [
    [100, 900],
    [50, 3_000],
  ] as const) {
    const back = Array.from({ length: many }, (_, index) => bench.after(from + index, `taken back ${index}`))
    bench.after(40, `after ${many}`)
    for (const act of back) act()
  }
  bench.after(30, 'second')
  for (const ms of [1, 40, 10_000]) bench.ring(ms)
  expect(bench.acted).toEqual(['first', 'second', 'after 900', 'after 3000'])
  expect(bench.set()).toEqual([])
})

test('CO7 the wait keeps the process alive as long as there is work, which is asked again on request', () => {
  let works = false
  const bench = opened(() => works)
  bench.deadlines.refresh()
  expect(bench.set()).toEqual([])
  bench.after(10, 'a')
  const [idle] = bench.set()
  bench.deadlines.refresh()
  expect(bench.set()[0]).toBe(idle)
  works = true
  bench.deadlines.refresh()
  expect(bench.set()).toEqual([{ at: 10, keepAlive: true }])
  works = false
  bench.after(20, 'b')
  expect(bench.set()).toEqual([{ at: 10, keepAlive: false }])
})

test('CO8 once closed nothing is waited for', () => {
  const bench = opened()
  bench.after(10, 'a')
  bench.deadlines.close()
  bench.after(5, 'b')
  expect(bench.set()).toEqual([])
})

test('LE5 lease time skips a hold-up and as long again, at most 5 s; a timer that is a little late is none', () => {
  const leaseTimeAfter = (late: number) => {
    const bench = opened()
    bench.after(10_000, 'a')
    bench.ring(10_000 + late)
    expect(bench.acted).toEqual(['a'])
    return bench.deadlines.leaseNow() - 10_000
  }
  expect([0, 250].map(leaseTimeAfter)).toEqual([0, 250])
  expect([251, 1_000, 5_000].map(leaseTimeAfter)).toEqual([-251, -1_000, -5_000])
  expect([6_000, 100_000].map(leaseTimeAfter)).toEqual([-5_000, -5_000])
})

test('LE5 lease time never goes back behind what was read of it, and hold-ups add up', () => {
  const bench = opened()
  bench.pass(8_000)
  expect(bench.deadlines.leaseNow()).toBe(8_000)
  bench.after(2_000, 'a')
  bench.ring(22_000)
  expect(bench.deadlines.leaseNow()).toBe(8_000)
  bench.pass(1_000)
  expect(bench.deadlines.leaseNow()).toBe(9_000)
  bench.after(10_000, 'b')
  bench.ring(11_000)
  // 20 s, and 1 s twice.
  expect(bench.deadlines.leaseNow()).toBe(18_000)
})

test('LE5 lease time stands while it is held, whatever timers come late, and goes on from there', () => {
  const bench = opened()
  bench.pass(3_000)
  bench.deadlines.hold()
  bench.after(1_000, 'a')
  bench.ring(60_000)
  bench.deadlines.hold()
  expect([bench.acted, bench.deadlines.leaseNow()]).toEqual([['a'], 3_000])
  bench.deadlines.goOn()
  expect(bench.deadlines.leaseNow()).toBe(3_000)
  bench.pass(500)
  bench.deadlines.goOn()
  expect(bench.deadlines.leaseNow()).toBe(3_500)
})
