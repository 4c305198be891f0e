import { describe, test } from 'vitest'
import { systemClock } from '../../src/host/clock.ts'
import { clockContract, createVirtualClock } from '../../src/testing/index.ts'

describe('the clock of the machine', () => {
  const cases = clockContract(async () => {
    const clock = systemClock()
    return { clock, pass: (ms) => clock.sleep(ms), dispose: async () => undefined }
  })
  for (const { id, run } of cases) test(id, run)
})

describe('a virtual clock', () => {
  const cases = clockContract(async () => {
    const clock = createVirtualClock()
    return { clock, pass: (ms) => clock.advance(ms), dispose: async () => undefined }
  })
  for (const { id, run } of cases) test(id, run)
})

describe('the clock of one process', () => {
  const cases = clockContract(async () => {
    const clock = createVirtualClock()
    const process = clock.process()
    return { clock: process, pass: (ms) => clock.advance(ms), dispose: async () => process.end() }
  })
  for (const { id, run } of cases) test(id, run)
})
