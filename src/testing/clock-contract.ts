import assert from 'node:assert/strict'
import type { Clock } from '../ports/clock.ts'
import { contractCases } from './contract-case.ts'
import type { ContractCase } from './contract-case.ts'

/** A clock under test. */
export interface ClockUnderTest {
  readonly clock: Clock
  /** Resolves when so much time has passed on it: a real clock waits, a virtual one is moved. */
  pass(ms: number): Promise<void>
  dispose(): Promise<void>
}

const checks: Readonly<Record<string, (context: ClockUnderTest) => Promise<void>>> = {
  'DE2 waits end in the order of their lengths': async ({ clock, pass }) => {
    const ended: string[] = []
    const wait = (name: string, ms: number): Promise<number> => clock.sleep(ms).then(() => ended.push(name))
    const all = Promise.all([wait('third', 60), wait('first', 5), wait('second', 30)])
    await pass(200)
    await all
    assert.deepEqual(ended, ['first', 'second', 'third'])
  },

  'DE2 a wait ends no earlier than it was asked to': async ({ clock, pass }) => {
    const began = clock.monotonic()
    const waited = clock.sleep(40).then(() => clock.monotonic() - began)
    await pass(100)
    assert.ok((await waited) >= 40)
  },

  'DE2 a wait that is given up ends at once, and does not reject': async ({ clock }) => {
    const giveUp = new AbortController()
    const waiting = clock.sleep(3_600_000, { signal: giveUp.signal })
    giveUp.abort(new Error('enough'))
    await waiting
    await clock.sleep(3_600_000, { signal: giveUp.signal })
  },

  'DE2 an alarm acts once, and one that is taken back never': async ({ clock, pass }) => {
    const acted: string[] = []
    clock.alarm(10, () => acted.push('kept'), { keepAlive: true })
    const takeBack = clock.alarm(10, () => acted.push('taken back'), { keepAlive: true })
    takeBack()
    takeBack()
    await pass(100)
    assert.deepEqual(acted, ['kept'])
  },

  'LE5 monotonic time only grows, and a wait of more than the platform takes does not end at once': async ({ clock, pass }) => {
    const acted: string[] = []
    const takeBack = clock.alarm(2 ** 32, () => acted.push('too early'), { keepAlive: true })
    const before = clock.monotonic()
    await pass(20)
    assert.ok(clock.monotonic() > before)
    assert.deepEqual(acted, [])
    takeBack()
  },

  'CO7 a turn lets what could run at once run': async ({ clock }) => {
    let ran = false
    void Promise.resolve().then(() => (ran = true))
    await clock.turn()
    assert.equal(ran, true)
  },
}

/** What every `Clock` must do, one case each, for any test runner. `make` gives a clock for each case. */
export function clockContract(make: () => Promise<ClockUnderTest>): readonly ContractCase[] {
  return contractCases(checks, make)
}
