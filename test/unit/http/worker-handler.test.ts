import { createWorkerHandler } from 'flotilla/http'
import type { AttachOutcome, ConnectionFacts, WorkerConnection } from 'flotilla/http'
import { describe, expect, it } from 'vitest'
import { createVirtualClock } from '../../../src/testing/virtual-clock.ts'

/** A door that keeps who came, and what they said. */
function door() {
  const came: { connection: WorkerConnection; facts: unknown; lines: string[]; ended: string | undefined }[] = []
  return {
    came,
    attach(connection: WorkerConnection, options: { readonly facts?: ConnectionFacts } = {}): Promise<AttachOutcome> {
      const one = { connection, facts: options.facts, lines: [] as string[], ended: undefined as string | undefined }
      came.push(one)
      connection.listen({
        line: (line) => void one.lines.push(typeof line === 'string' ? line : new TextDecoder().decode(line)),
        end: (reason) => void (one.ended = reason),
      })
      return Promise.resolve({ attached: true, workerId: 'w1', incarnation: 'i1' })
    },
  }
}

async function opened(options: { readonly maxBacklogBytes?: number } = {}) {
  const clock = createVirtualClock()
  const fleet = door()
  const handler = createWorkerHandler(fleet, { clock, keepAliveMs: 1_000, ...options })
  const ask = (path: string, init: RequestInit = {}) =>
    handler(new Request(`https://fleet.example/any/${path}`, init), { seat: 4 })
  return { clock, fleet, handler, ask }
}

type World = Awaited<ReturnType<typeof opened>>

/** Reads a body as it comes; `text` is what was read so far. */
function reading(response: Response) {
  const reader = response.body!.getReader()
  const state = { text: '', ended: false, cancel: () => reader.cancel() }
  void (async () => {
    for (;;) {
      const { done, value } = await reader.read()
      if (done) break
      state.text += new TextDecoder().decode(value)
    }
    state.ended = true
  })()
  return state
}

async function begun({ ask, clock, fleet }: World, headers: Readonly<Record<string, string>> = {}) {
  const response = await ask('connect', { headers })
  const down = reading(response)
  await clock.settle()
  const id = (JSON.parse(/data: (.*)/.exec(down.text)?.[1] ?? '{}') as { session: string }).session
  const worker = fleet.came.at(-1)!
  const post = (body: string, from = 1, heard = 0) =>
    ask('messages', {
      method: 'POST',
      body,
      headers: { 'flotilla-session': id, 'flotilla-from': String(from), 'flotilla-heard': String(heard) },
    })
  const again = (after: number, more: Readonly<Record<string, string>> = {}) =>
    ask('connect', { headers: { 'flotilla-session': id, 'last-event-id': String(after), ...more } })
  return { response, down, id, worker, post, again }
}

describe('the handler of workers', () => {
  it('HO2 answers web requests anywhere, and hands on what the application knows of them', async () => {
    const world = await opened()
    const { response, down, worker, post } = await begun(world)
    expect(response.status).toBe(200)
    expect(Object.fromEntries(response.headers)).toMatchObject({
      'content-type': 'text/event-stream',
      'cache-control': 'no-store, no-transform',
      'x-accel-buffering': 'no',
    })
    expect(down.text).toMatch(/^event: session\ndata: \{"session":"[0-9a-f-]{36}","keep_alive_ms":1000\}\n\n$/)
    expect(worker.facts).toEqual({ seat: 4 })
    expect(await (await post('{"a":1}\n{"b":"ü"}\n')).json()).toEqual({ taken: 2 })
    expect(worker.lines).toEqual(['{"a":1}', '{"b":"ü"}'])
    worker.connection.send('{"c":3}')
    await world.clock.settle()
    expect(down.text).toMatch(/\n\nid: 1\ndata: \{"c":3\}\n\n$/)
    world.handler.close()
  })

  it('HO7 a stream that is asked for again begins after what was heard, and takes the place of the one before', async () => {
    const world = await opened()
    const { down, worker, again, post } = await begun(world)
    for (const number of [1, 2, 3]) worker.connection.send(`{"n":${number}}`)
    await world.clock.settle()
    const second = reading(await again(1))
    await world.clock.settle()
    expect(down.ended).toBe(true)
    expect(second.text).toBe('id: 2\ndata: {"n":2}\n\nid: 3\ndata: {"n":3}\n\n')
    worker.connection.send('{"n":4}')
    await world.clock.settle()
    expect(second.text).toContain('id: 4')
    // What was heard is gone; what was not said yet cannot be asked for.
    await post('', 1, 3)
    expect((await again(2)).status).toBe(404)
    expect((await again(5)).status).toBe(404)
    const third = reading(await again(3))
    await world.clock.settle()
    expect(third.text).toBe('id: 4\ndata: {"n":4}\n\n')
    expect(worker.ended).toBeUndefined()
    world.handler.close()
  })

  it('HO7 it says something at least every so often, and ends when nothing is heard for three times as long', async () => {
    const world = await opened()
    const { down, worker, post } = await begun(world)
    await world.clock.advance(2_500)
    expect(down.text.match(/: keep-alive\n\n/g)).toHaveLength(2)
    await post('')
    await world.clock.advance(2_900)
    expect(worker.ended).toBeUndefined()
    await world.clock.advance(200)
    expect(worker.ended).toBe('nothing was heard of the worker')
    expect(down.text).toMatch(/event: end\ndata: \{"reason":"nothing was heard of the worker"\}\n\n$/)
    expect(down.ended).toBe(true)
    expect(world.clock.pending).toBe(0)
  })

  it('HO7 a worker that holds no stream has one keep-alive to ask again', async () => {
    const world = await opened()
    const first = await begun(world)
    await first.down.cancel()
    await world.clock.advance(900)
    const back = reading(await first.again(0))
    await world.clock.advance(500)
    expect(first.worker.ended).toBeUndefined()
    await back.cancel()
    await world.clock.advance(1_100)
    expect(first.worker.ended).toBe('nothing was heard of the worker')
    // Its last words wait a moment for it.
    const last = reading(await first.again(0))
    await world.clock.settle()
    expect(last.text).toContain('event: end')
    expect(last.ended).toBe(true)
    expect((await first.again(0)).status).toBe(404)
    expect(world.clock.pending).toBe(0)
  })

  it('HO7 a poll is answered as soon as there is something, and ends then', async () => {
    const world = await opened()
    const { down, worker, again } = await begun(world, { 'flotilla-poll': '1' })
    expect(down.ended).toBe(true)
    const waiting = reading(await again(0, { 'flotilla-poll': '1' }))
    await world.clock.advance(400)
    expect(waiting).toMatchObject({ text: '', ended: false })
    worker.connection.send('{"n":1}')
    await world.clock.settle()
    expect(waiting).toMatchObject({ text: 'id: 1\ndata: {"n":1}\n\n', ended: true })
    const empty = reading(await again(1, { 'flotilla-poll': '1' }))
    await world.clock.advance(1_000)
    expect(empty).toMatchObject({ text: '', ended: true })
    world.handler.close()
  })

  it('HO8 a reader that is slow has one event before it; the rest is kept, up to its limit', async () => {
    const world = await opened({ maxBacklogBytes: 10_000 })
    const { worker } = await begun(world)
    const slow = (await begun(world)).worker
    const before = worker.ended
    for (let number = 0; number < 90; number += 1) slow.connection.send('x'.repeat(85))
    expect(slow.ended).toBeUndefined()
    for (let number = 0; number < 30; number += 1) slow.connection.send('x'.repeat(85))
    expect(slow.ended).toMatch(/^the worker did not read \d+ bytes that were sent to it$/)
    expect(worker.ended).toBe(before)
    world.handler.close()
    await world.clock.settle()
    expect(world.clock.pending).toBe(0)
  })

  it('HO8 a post that is held back is no longer read, and goes on when it may', async () => {
    const world = await opened()
    const { worker, post } = await begun(world)
    worker.connection.pause?.(true)
    let answered = false
    const posted = post('{"n":1}\n{"n":2}\n{"n":3}\n').then((response) => {
      answered = true
      return response
    })
    await world.clock.settle()
    expect({ lines: worker.lines.length, answered }).toEqual({ lines: 1, answered: false })
    worker.connection.pause?.(false)
    expect(await (await posted).json()).toEqual({ taken: 3 })
    expect(worker.lines).toHaveLength(3)
    world.handler.close()
  })

  it('HO7 a post takes the place of one that is still being read, and goes on where that was', async () => {
    const world = await opened()
    const { worker, id, post } = await begun(world)
    let send: (text: string) => void = () => undefined
    const body = new ReadableStream({
      start: (controller) => void (send = (text) => controller.enqueue(new TextEncoder().encode(text))),
    })
    const headers = { 'flotilla-session': id, 'flotilla-from': '1' }
    const first = world.ask('messages', { method: 'POST', body, headers, duplex: 'half' } as RequestInit)
    send('{"n":1}\n{"n":')
    await world.clock.settle()
    expect(worker.lines).toEqual(['{"n":1}'])
    expect(await (await post('{"n":1}\n{"n":2}\n')).json()).toEqual({ taken: 2 })
    expect((await first).status).toBe(409)
    expect(worker.lines).toEqual(['{"n":1}', '{"n":2}'])
    world.handler.close()
  })

  it('CO8 closing ends every session, and leaves nothing', async () => {
    const world = await opened()
    const one = await begun(world)
    const two = await begun(world)
    world.handler.close()
    await world.clock.settle()
    expect([one.worker.ended, two.worker.ended]).toEqual(['the handler was closed', 'the handler was closed'])
    expect([one.down.ended, two.down.ended]).toEqual([true, true])
    expect(world.clock.pending).toBe(0)
  })
})
