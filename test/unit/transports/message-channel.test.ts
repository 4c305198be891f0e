import { describe, expect, it } from 'vitest'
import { createMessageChannel } from '../../../src/transports/message-channel.ts'

async function all<Message>(channel: AsyncIterable<Message>) {
  const messages: Message[] = []
  for await (const message of channel) messages.push(message)
  return messages
}

describe('a message channel', () => {
  it('HO1 gives messages in order, those before the reader came and those after', async () => {
    const channel = createMessageChannel<number>()
    channel.push(1)
    channel.push(2)
    const read = all(channel)
    await Promise.resolve()
    channel.push(3)
    await new Promise((resolve) => setImmediate(resolve))
    channel.push(4)
    channel.end()

    expect(await read).toEqual([1, 2, 3, 4])
  })

  it('HO1 takes nothing once it has ended, and gives what it had', async () => {
    const channel = createMessageChannel<number>()
    channel.push(1)
    channel.end()
    channel.push(2)

    expect(await all(channel)).toEqual([1])
  })

  it('HO1 has one reader', async () => {
    const channel = createMessageChannel<number>()
    channel.end()
    await all(channel)

    await expect(all(channel)).rejects.toThrow('one reader')
  })

  it('HO4 knows the weight of what was not read', async () => {
    const channel = createMessageChannel<string>((text) => text.length)
    const reader = channel[Symbol.asyncIterator]()
    channel.push('abc')
    channel.push('de')
    expect(channel.backlog).toBe(5)

    await reader.next()
    expect(channel.backlog).toBe(2)

    await reader.return?.()
    expect(channel.backlog).toBe(0)
    channel.push('later')
    expect(channel.backlog).toBe(0)
  })

  it('HO1 a reader that waits learns of the end', async () => {
    const channel = createMessageChannel<number>()
    const read = all(channel)
    await new Promise((resolve) => setImmediate(resolve))
    channel.end()

    expect(await read).toEqual([])
  })

  it('HO1 costs the same for the last of many messages as for the first', async () => {
    const channel = createMessageChannel<number>()
    for (let n = 0; n < 200_000; n += 1) channel.push(n)
    channel.end()
    const before = performance.now()

    expect((await all(channel)).length).toBe(200_000)
    expect(performance.now() - before).toBeLessThan(5_000)
  })
})
