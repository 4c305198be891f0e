import { expect, test } from 'vitest'
import { createSendingLanes } from '../../../src/engine/sending-lanes.ts'

/** Lanes whose work is ended by name, and the names of the work that has begun. */
function laned(width: number) {
  const lanes = createSendingLanes(width)
  const begun: string[] = []
  const ends = new Map<string, () => void>()
  return {
    begun,
    run(lane: string, ...names: string[]) {
      for (const name of names)
        lanes.run(lane, () => {
          begun.push(name)
          return new Promise((resolve) => ends.set(name, resolve))
        })
    },
    async end(name: string) {
      ends.get(name)?.()
      await settled()
    },
    /** Whether whoever asks now hears at once that nothing is left. */
    idle() {
      const asked = { isIdle: false }
      void lanes.idle().then(() => (asked.isIdle = true))
      return async () => {
        await settled()
        return asked.isIdle
      }
    },
  }
}

const settled = async () => {
  for (let turn = 0; turn < 5; turn += 1) await Promise.resolve()
}

test('AL2 so many of a channel go at once, in the order in which they came, and the next with the end of one', async () => {
  const { run, begun, end } = laned(2)
  run('slack', 'a', 'b', 'c', 'd')
  expect(begun).toEqual(['a', 'b'])
  await end('b')
  expect(begun).toEqual(['a', 'b', 'c'])
  await end('a')
  expect(begun).toEqual(['a', 'b', 'c', 'd'])
  run('slack', 'e')
  expect(begun).toHaveLength(4)
  await end('c')
  expect(begun).toEqual(['a', 'b', 'c', 'd', 'e'])
})

test('AL2 one channel holds up no other', async () => {
  const { run, begun, end } = laned(1)
  run('slack', 'a', 'b')
  run('webhook', 'c')
  expect(begun).toEqual(['a', 'c'])
  await end('c')
  run('webhook', 'd')
  expect(begun).toEqual(['a', 'c', 'd'])
  await end('a')
  expect(begun).toEqual(['a', 'c', 'd', 'b'])
})

test('CO8 whoever waits for everything hears once the last of every channel has ended, and at once when there is nothing', async () => {
  const { run, end, idle } = laned(1)
  expect(await idle()()).toBe(true)
  run('slack', 'a', 'b')
  run('webhook', 'c')
  const [first, second] = [idle(), idle()]
  await end('a')
  await end('c')
  expect(await first()).toBe(false)
  await end('b')
  expect([await first(), await second()]).toEqual([true, true])
  expect(await idle()()).toBe(true)
  // It does so anew for what comes later.
  run('slack', 'd')
  const third = idle()
  expect(await third()).toBe(false)
  await end('d')
  expect(await third()).toBe(true)
})
