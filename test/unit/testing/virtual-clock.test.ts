import { readFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { createVirtualClock } from '../../../src/testing/virtual-clock.ts'

test('DE2 deadlines are met in their order, and what one sets off settles before the next', async () => {
  const clock = createVirtualClock()
  const story: string[] = []
  const wait = async (name: string, ms: number): Promise<void> => {
    await clock.sleep(ms)
    for (let turn = 0; turn < 50; turn += 1) await Promise.resolve()
    story.push(`${name} ${clock.monotonic()}`)
    if (name === 'a') void wait('a2', 5)
  }
  void wait('c', 30)
  void wait('a', 10)
  void wait('b', 15)
  void wait('d', 30)
  await clock.advance('1s')
  expect(story).toEqual(['a 10', 'b 15', 'a2 15', 'c 30', 'd 30'])
  expect(clock.monotonic()).toBe(1000)
})

test('DE2 a real file that a deadline sets off being read is read before the next deadline', async () => {
  const clock = createVirtualClock()
  const story: string[] = []
  clock.alarm(
    10,
    () =>
      void readFile(import.meta.filename, 'utf8')
        .then(async () => readFile(import.meta.filename))
        .then(() => story.push('read')),
    { keepAlive: true },
  )
  clock.alarm(11, () => story.push('next'), { keepAlive: true })
  await clock.advanceUntilIdle()
  expect(story).toEqual(['read', 'next'])
})

test('DE2 what was taken back is not pending, and is not met', async () => {
  const clock = createVirtualClock()
  const stop = new AbortController()
  const met: string[] = []
  const takeBack = clock.alarm(10, () => met.push('alarm'), { keepAlive: true })
  const waiting = clock.sleep(20, { signal: stop.signal }).then(() => met.push('told to stop'))
  clock.alarm(30, () => met.push('kept'), { keepAlive: true })
  expect(clock.pendingTimers()).toEqual([10, 20, 30])
  takeBack()
  takeBack()
  stop.abort()
  await waiting
  expect([clock.pending, clock.pendingTimers()]).toEqual([1, [30]])
  expect(await clock.advanceUntilIdle()).toBe(1)
  expect(met).toEqual(['told to stop', 'kept'])
})

test('DE2 a process that ends is never woken, and what it waited for is not pending', async () => {
  const clock = createVirtualClock()
  const process = clock.process()
  const stop = new AbortController()
  const woken: string[] = []
  void process.sleep(10).then(() => woken.push('slept'))
  void process.sleep(10, { signal: stop.signal }).then(() => woken.push('stopped'))
  process.alarm(10, () => woken.push('alarm'), { keepAlive: true })
  clock.alarm(20, () => woken.push('another process'), { keepAlive: true })
  process.end()
  void process.sleep(1).then(() => woken.push('slept after the end'))
  stop.abort()
  expect(clock.pending).toBe(1)
  await clock.advance(100)
  expect(woken).toEqual(['another process'])
})

test('DE2 ten thousand timers, armed and taken back at random, are met in order, and in no more than n log n', async () => {
  const clock = createVirtualClock()
  const met: number[] = []
  const moments = Array.from({ length: 10_000 }, (_, index) => (index * 7919) % 10_007)
  for (const at of moments) clock.alarm(at, () => met.push(at), { keepAlive: true })
  for (const at of moments) clock.alarm(at, () => met.push(-1), { keepAlive: true })()
  const began = performance.now()
  await clock.advanceUntilIdle()
  expect(met).toEqual(moments.toSorted((a, b) => a - b))
  // Generous: it takes about 40 ms; a search through the list for each of them takes seconds.
  expect(performance.now() - began).toBeLessThan(2_000)
})

test('DE2 durations are written as people write them', async () => {
  const clock = createVirtualClock()
  await clock.advance('1.5m')
  await clock.advance('3h')
  await clock.advance('250ms')
  expect(clock.monotonic()).toBe(90_000 + 3 * 3_600_000 + 250)
  await expect(clock.advance('2 weeks' as never)).rejects.toThrow(/"2 weeks" cannot be read/)
  await expect(clock.advance(-1)).rejects.toThrow(/cannot be read/)
})

test('DE2 two clocks that are moved at once do not hold each other up', async () => {
  const clocks = [createVirtualClock(), createVirtualClock()]
  const met: number[] = []
  for (const [index, clock] of clocks.entries())
    for (let at = 1; at <= 100; at += 1) clock.alarm(at, () => met.push(index), { keepAlive: true })
  const began = performance.now()
  await Promise.all(clocks.map((clock) => clock.advanceUntilIdle()))
  expect(met).toHaveLength(200)
  expect(performance.now() - began).toBeLessThan(1_000)
})
