import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { systemClock } from '../../../src/host/clock.ts'

const run = promisify(execFile)

afterEach(() => {
  vi.useRealTimers()
})

describe('the system clock', () => {
  it('LE5 monotonic time does not follow a jump of the wall clock', () => {
    const clock = systemClock()
    const before = { now: clock.now(), monotonic: clock.monotonic() }
    vi.useFakeTimers({ toFake: ['Date'], now: before.now + 3_600_000 })

    expect(clock.now() - before.now).toBeGreaterThanOrEqual(3_600_000)
    expect(clock.monotonic() - before.monotonic).toBeLessThan(60_000)
  })

  it('LE5 a sleep is never shorter than asked', async () => {
    const clock = systemClock()
    for (const ms of [0, 1, 2.5, 7]) {
      const before = clock.monotonic()
      await clock.sleep(ms)
      expect(clock.monotonic() - before).toBeGreaterThanOrEqual(ms)
    }
  })

  it('LE5 an alarm calls once, never early, and not at all once it is taken back', async () => {
    const clock = systemClock()
    const called: string[] = []
    const before = clock.monotonic()
    const late = await new Promise<number>((resolve) => {
      clock.alarm(2, () => called.push('taken back'), { keepAlive: true })()
      clock.alarm(
        7.5,
        () => {
          called.push('alarm')
          resolve(clock.monotonic() - before)
        },
        { keepAlive: true },
      )
    })
    expect(late).toBeGreaterThanOrEqual(7.5)
    await clock.sleep(5)
    expect(called).toEqual(['alarm'])
  })

  it('LE5 a sleep longer than a timer takes is armed again', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
    const month = 30 * 24 * 3_600_000
    let awake = false
    void systemClock()
      .sleep(month)
      .then(() => (awake = true))

    await vi.advanceTimersByTimeAsync(month - 1)
    expect(awake).toBe(false)
    await vi.advanceTimersByTimeAsync(1)
    expect(awake).toBe(true)
  })

  it('CO8 a sleep ends when its signal aborts, and does not begin when it has', async () => {
    const clock = systemClock()
    const controller = new AbortController()
    const before = clock.monotonic()
    const asleep = clock.sleep(60_000, { signal: controller.signal })

    controller.abort()
    await asleep
    await clock.sleep(60_000, { signal: controller.signal })

    expect(clock.monotonic() - before).toBeLessThan(30_000)
  })

  it('CO7 a sleep keeps the process alive only when told to', async () => {
    const module = new URL('../../../src/host/clock.ts', import.meta.url).href
    const program = (keepAlive: boolean) =>
      `const { systemClock } = await import('${module}'); systemClock().sleep(400, { keepAlive: ${keepAlive} }).then(() => console.log('awake'))`
    const spoken = async (keepAlive: boolean) =>
      (await run(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', program(keepAlive)])).stdout

    expect(await spoken(true)).toBe('awake\n')
    expect(await spoken(false)).toBe('')
  })
})
