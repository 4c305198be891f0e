import { expect, test } from 'vitest'
import { Gathering } from '../../../src/protocol/gathering.ts'

/** A gathering, and how many turns of the event loop it waited for since that was asked last. */
function gatheringAt(start: number) {
  const clock = { now: start, turns: 0 }
  const gathering = new Gathering({
    monotonic: () => clock.now,
    turn: async () => {
      await Promise.resolve()
      clock.turns += 1
    },
  })
  const turnsOf = async (came: number) => {
    clock.turns = 0
    await gathering.wait()
    gathering.came(came)
    return clock.turns
  }
  return { clock, turnsOf }
}

test('ST3 the first who comes waits for a turn, and one who comes alone right after for none', async () => {
  const { turnsOf } = gatheringAt(0)
  expect([await turnsOf(1), await turnsOf(1), await turnsOf(1)]).toEqual([1, 0, 0])
})

test('ST3 while several come together, each of them waits for the others', async () => {
  const { turnsOf } = gatheringAt(100)
  expect([await turnsOf(1), await turnsOf(2), await turnsOf(3), await turnsOf(1), await turnsOf(1)]).toEqual([1, 0, 1, 1, 0])
})

test('ST3 whoever comes alone again and again lets the event loop go on every 4 ms', async () => {
  const { clock, turnsOf } = gatheringAt(7)
  const taken: number[] = []
  for (let step = 0; step < 10; step += 1) {
    taken.push(await turnsOf(1))
    clock.now += 1
  }
  expect(taken).toEqual([1, 0, 0, 0, 1, 0, 0, 0, 1, 0])
})

test('ST3 those who are there when the first one waits share what follows, turn or none', async () => {
  const { turnsOf } = gatheringAt(0)
  await turnsOf(1)
  let came = 0
  const lone = turnsOf(1)
  await Promise.all([
    lone.then(() => expect(came).toBe(2)),
    Promise.resolve().then(() => (came += 1)),
    Promise.resolve().then(() => (came += 1)),
  ])
})
