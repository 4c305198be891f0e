import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { expect, test } from 'vitest'
import { hostFacts, isAlive } from '../../../../src/store/json/process-identity.ts'

const here = { host: 'h', boot: 'b', pidNamespace: 'n', pid: process.pid, started: hostFacts.self().started }

test('ST6 this process lives; one with its id that started at another time does not', () => {
  expect(hostFacts.isAlive(hostFacts.self())).toBe(true)
  expect(isAlive({ ...here, started: '1' }, here)).toBe(here.started === null)
})

test('ST6 a process that ended is known to be gone', async () => {
  const child = spawn(process.execPath, ['-e', ''])
  const { pid = 0 } = child
  const gone = once(child, 'exit')
  await gone
  expect(hostFacts.isAlive({ ...hostFacts.self(), pid })).toBe(false)
})

test('ST6 a process before the last boot is gone; one on another host or in another namespace is unknown', () => {
  expect(isAlive({ ...here, boot: 'before' }, here)).toBe(false)
  expect(isAlive({ ...here, boot: null }, here)).toBeUndefined()
  expect(isAlive({ ...here, host: 'other' }, here)).toBeUndefined()
  expect(isAlive({ ...here, pidNamespace: 'other' }, here)).toBeUndefined()
})

test('ST6 where start times are unknown a process that answers lives', () => {
  const blind = { ...here, started: null }
  expect(isAlive(blind, blind)).toBe(true)
  expect(isAlive({ ...blind, pid: 2 ** 22 + 1 }, blind)).toBe(false)
})
