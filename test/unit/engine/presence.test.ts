import { expect, test } from 'vitest'
import { createPresence } from '../../../src/engine/presence.ts'
import type { AttemptPresence, Presence } from '../../../src/engine/presence.ts'

const facts = { run: 'r', task: 'a', attempt: 1, worker: 'w1', deadline: 60, lastHeardAt: 7, lastProgress: 8 }
const begin = (presence: Presence, more: Partial<AttemptPresence> = {}) => presence.begin({ ...facts, ...more })

test('LE3 an attempt begins with what is known of it, and with nothing of what comes later', () => {
  const presence = createPresence()
  const attempt = begin(presence)
  const { watches, calls, place, redaction, forgetSecrets, logged, lingering, ...known } = attempt
  expect(known).toEqual(facts)
  expect({ logged, lingering }).toEqual({ logged: false, lingering: false })
  for (const later of [calls, place, redaction, forgetSecrets, ...Object.values(watches)]) expect(later).toBeUndefined()
  expect(presence.get('r', 'a', 1)).toBe(attempt)
  expect([...presence.all()]).toEqual([attempt])
})

test('LE1 attempts are told apart by run, task and number, and counted by run', () => {
  const presence = createPresence()
  const attempts = [
    begin(presence),
    begin(presence, { attempt: 2 }),
    begin(presence, { task: 'b' }),
    begin(presence, { run: 's' }),
  ]
  expect(presence.size).toBe(4)
  expect([presence.ofRun('r'), presence.ofRun('s'), presence.ofRun('t')]).toEqual([3, 1, 0])
  for (const one of attempts) expect(presence.get(one.run, one.task, one.attempt)).toBe(one)
  expect(presence.get('r', 'b', 2)).toBeUndefined()
  expect(presence.end('r', 'a', 2)).toBe(attempts[1])
  expect(presence.get('r', 'a', 2)).toBeUndefined()
  expect(presence.end('r', 'a', 2)).toBeUndefined()
  expect([presence.size, presence.ofRun('r')]).toEqual([3, 2])
  presence.end('s', 'a', 1)
  presence.end('r', 'a', 1)
  presence.end('r', 'b', 1)
  expect([presence.size, presence.ofRun('r'), presence.ofRun('s')]).toEqual([0, 0, 0])
})

test('LE3 SE5 with an attempt end its deadlines, and its secrets are no longer in use', () => {
  const presence = createPresence()
  const attempt = begin(presence)
  const ended: string[] = []
  for (const name of ['lease', 'stall', 'timeout', 'budget'] as const) attempt.watches[name] = () => void ended.push(name)
  attempt.forgetSecrets = () => void ended.push('secrets')
  presence.end('r', 'a', 1)
  expect(ended).toEqual(['lease', 'stall', 'timeout', 'budget', 'secrets'])
})

test('WO3 an attempt that lingers is counted at its worker and told of once, until its end', () => {
  const presence = createPresence()
  const said: string[] = []
  presence.onLinger(({ task }, lingers) => void said.push(`${task} ${lingers}`))
  const [a, b] = [begin(presence), begin(presence, { task: 'b' })]
  begin(presence, { task: 'c', worker: 'w2' })
  presence.linger(a)
  presence.linger(a)
  presence.linger(b, true)
  expect([presence.lingering('w1'), presence.lingering('w2')]).toEqual([2, 0])
  expect([a.lingering, b.lingering]).toEqual([true, true])
  presence.linger(b, false)
  presence.linger(b, false)
  expect([presence.lingering('w1'), b.lingering]).toEqual([1, false])
  presence.end('r', 'a', 1)
  presence.end('r', 'b', 1)
  expect([presence.lingering('w1'), a.lingering]).toEqual([0, false])
  expect(said).toEqual(['a true', 'b true', 'b false', 'a false'])
})

test('WO3 whoever waits for ends hears of each, once nothing is left of it, until he takes that back', () => {
  const presence = createPresence()
  const heard: string[] = []
  const listen = (name: string) =>
    presence.onEnd((attempt) => {
      heard.push(`${name} ${attempt.task} ${attempt.lingering} ${presence.get('r', attempt.task, 1) === undefined}`)
    })
  const stop = listen('first')
  listen('second')
  presence.linger(begin(presence))
  presence.end('r', 'a', 1)
  expect(heard).toEqual(['first a false true', 'second a false true'])
  stop()
  begin(presence, { task: 'b' })
  presence.end('r', 'b', 1)
  presence.end('r', 'b', 1)
  expect(heard.slice(2)).toEqual(['second b false true'])
})
