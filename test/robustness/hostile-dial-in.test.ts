import { readdirSync } from 'node:fs'
import { connect } from 'node:net'
import { createFleet, dialIn } from 'flotilla'
import type { Fleet } from 'flotilla'
import { createWorkerHandler, nodeListener } from 'flotilla/http'
import type { WorkerHandlerOptions } from 'flotilla/http'
import { connectWorker } from 'flotilla/worker'
import { describe, expect, it, onTestFinished } from 'vitest'
import { until } from '../fixtures/processes.ts'
import { webServer } from '../fixtures/web-server.ts'

const token = 'a token of the tests'
const hello = { type: 'hello', protocol: 1, worker_id: 'w1', incarnation: 'i1', token, resumes: true, attempts: [] }

interface World {
  readonly fleet: Fleet
  readonly url: string
  readonly port: number
}

async function opened(options: WorkerHandlerOptions<object> = {}): Promise<World> {
  const fleet = await createFleet({ workers: [{ id: 'w1', transport: dialIn({ handlers: ['work'], token }) }] })
  const server = await webServer(nodeListener(createWorkerHandler(fleet, options)))
  onTestFinished(async () => {
    await fleet.close({ graceMs: 0 })
    await server[Symbol.asyncDispose]()
  })
  return { fleet, url: server.url, port: server.port }
}

/** A session that a test plays by hand: what the fleet says in it is gathered until it ends. */
async function session({ url }: World) {
  const stop = new AbortController()
  onTestFinished(() => stop.abort())
  const response = await fetch(`${url}/connect`, { signal: stop.signal })
  const told = { text: '', ended: false }
  const reading = (async () => {
    for await (const piece of response.body!) told.text += new TextDecoder().decode(piece)
  })()
  void reading.catch(() => undefined).finally(() => (told.ended = true))
  await until(() => told.text.includes('"session"'))
  const id = /"session":"([^"]+)"/.exec(told.text)?.[1] ?? ''
  return {
    id,
    told,
    post: (body: Body, headers: Readonly<Record<string, string>> = {}) =>
      fetch(`${url}/messages`, {
        method: 'POST',
        body,
        headers: { 'flotilla-session': id, 'flotilla-from': '1', ...headers },
        ...(body instanceof ReadableStream && { duplex: 'half' as const }),
      }),
    stop: () => stop.abort(),
  }
}

type Body = string | Uint8Array | ReadableStream

const line = (frame: unknown): string => `${JSON.stringify(frame)}\n`

/** The control of each of these: the fleet takes an honest worker. */
async function assertServes({ fleet, url }: World): Promise<void> {
  const worker = connectWorker({
    url,
    workerId: 'w1',
    token,
    handlers: { work: () => 'done' },
    reconnect: { firstMs: 20, mostMs: 50 },
  })
  const run = await fleet.start({ name: 'r', tasks: [{ id: 'a', name: 'A', instructions: 'Work.', handler: 'work' }] })
  expect((await run.result()).receipts['a']).toMatchObject({ output: 'done' })
  await worker.close({ graceMs: 0 })
}

async function codeOf(response: Response): Promise<[number, string]> {
  expect(response.headers.get('content-type')).toBe('application/json')
  const { error } = (await response.json()) as { error: { code: string; message: string } }
  expect(error.message).not.toBe('')
  return [response.status, error.code]
}

describe('requests', () => {
  it('HO8 that nothing answers are refused in JSON, with the status that fits', async () => {
    const world = await opened()
    const { url } = world
    const known = await session(world)
    const numbered = { 'flotilla-session': known.id }
    const cases: [string, RequestInit, number, string][] = [
      ['/nothing', {}, 404, 'not_found'],
      ['/connect', { method: 'POST', body: 'x' }, 405, 'method_not_allowed'],
      ['/messages', {}, 405, 'method_not_allowed'],
      ['/connect', { headers: { 'flotilla-session': 'guessed' } }, 404, 'unknown_session'],
      ['/connect', { headers: { ...numbered, 'last-event-id': 'x' } }, 400, 'invalid_request'],
      ['/connect', { headers: { ...numbered, 'last-event-id': '7' } }, 404, 'unknown_session'],
      ['/connect', { method: 'DELETE', headers: { 'flotilla-session': 'guessed' } }, 404, 'unknown_session'],
      ['/messages', { method: 'POST', body: 'x' }, 404, 'unknown_session'],
      ['/messages', { method: 'POST', body: 'x', headers: { ...numbered, 'flotilla-from': '0' } }, 400, 'invalid_request'],
      ['/messages', { method: 'POST', body: 'x', headers: { ...numbered, 'flotilla-from': '-1' } }, 400, 'invalid_request'],
      ['/messages', { method: 'POST', body: 'x\n', headers: { ...numbered, 'flotilla-from': '9' } }, 409, 'out_of_order'],
      ['/messages', { method: 'POST', body: 'no line break', headers: numbered }, 400, 'invalid_request'],
    ]
    for (const [path, init, status, code] of cases) {
      expect(await codeOf(await fetch(url + path, init)), `${init.method ?? 'GET'} ${path}`).toEqual([status, code])
    }
    expect((await fetch(`${url}/messages`)).headers.get('allow')).toBe('POST')
    await assertServes(world)
  })

  it('HO8 that are no HTTP, or break off, harm nobody', async () => {
    const world = await opened()
    const known = await session(world)
    for (const text of [
      'GET http://[/connect HTTP/1.1\r\nhost: x\r\n\r\n',
      'TRACE /connect HTTP/1.1\r\nhost: x\r\n\r\n',
      `POST /messages HTTP/1.1\r\nhost: x\r\nflotilla-session: ${known.id}\r\ncontent-length: 500\r\n\r\n${line(hello).slice(0, 40)}`,
      `POST /messages HTTP/1.1\r\nhost: x\r\nflotilla-session: ${known.id}\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n`,
    ]) {
      const socket = connect({ port: world.port, host: '127.0.0.1' }, () => socket.write(text))
      const answered = new Promise<void>((resolve) => socket.on('data', () => resolve()).on('close', () => resolve()))
      await Promise.race([answered, new Promise((resolve) => setTimeout(resolve, 100))])
      socket.destroy()
    }
    await assertServes(world)
  })

  it('HO7 a post that was cut in a line is sent again from its beginning, and what was taken of it is passed over', async () => {
    const world = await opened()
    const { post, told } = await session(world)
    const body = line(hello) + line({ type: 'ping' }) + line({ type: 'ping' }).slice(0, 5)
    expect(await codeOf(await post(body))).toEqual([400, 'invalid_request'])
    const again = await post(line(hello) + line({ type: 'ping' }) + line({ type: 'ping' }))
    expect(await again.json()).toEqual({ taken: 3 })
    await until(() => told.text.split('"pong"').length === 3)
    // Once more changes nothing.
    expect(await (await post(line(hello) + line({ type: 'ping' }))).json()).toEqual({ taken: 3 })
    expect(told.text.split('"welcome"')).toHaveLength(2)
  })
})

describe('a worker', () => {
  const wrong: Readonly<Record<string, [body: Body, code: RegExp]>> = {
    'that does not begin with hello': [line({ type: 'ping' }) + line({ type: 'drain' }), /invalid_message/],
    'of another version': [line({ ...hello, protocol: 2 }), /unsupported_protocol/],
    'with a wrong token': [line({ ...hello, token: 'guess' }), /unauthenticated/],
    'that says another worker’s id': [line({ ...hello, worker_id: 'w2' }), /unknown_worker/],
    'that says hello twice': [line(hello) + line(hello), /invalid_message/],
    'whose line is no JSON': [line(hello) + '{"type":\n', /invalid_message/],
    'whose line is of an unknown type': [line(hello) + line({ type: 'please' }), /invalid_message/],
    'whose line is no UTF-8': [new Uint8Array([...new TextEncoder().encode(line(hello)), 0xff, 0xfe, 0x0a]), /invalid_message/],
    'whose line is nested deeply': [line(hello) + '['.repeat(100_000) + '\n', /too_large|invalid_message/],
  }
  for (const [what, [body, code]] of Object.entries(wrong)) {
    it(`HO8 ${what} is told so, and loses its session; the fleet goes on`, async () => {
      const world = await opened()
      const { post, told, id } = await session(world)
      await (await post(body)).text()
      await until(() => told.ended, 'the end of the session')
      const refused = /data: (\{"type":"refused".*\})/.exec(told.text)?.[1] ?? told.text
      expect(refused).toMatch(code)
      expect(told.text).toContain('event: end')
      expect(told.text).not.toContain(token)
      expect(await codeOf(await fetch(`${world.url}/connect`, { headers: { 'flotilla-session': id } }))).toEqual([
        404,
        'unknown_session',
      ])
      await assertServes(world)
    })
  }

  it('HO8 with a line of 2 MiB is refused while it comes, before it is whole', async () => {
    const world = await opened()
    const { post, told } = await session(world)
    let sent = 0
    const endless = new ReadableStream({
      async pull(controller) {
        sent += 65_536
        controller.enqueue(new Uint8Array(65_536).fill(0x61))
        await new Promise((resolve) => setTimeout(resolve, 1))
        if (sent > 64 * 1_048_576) controller.close()
      },
    })
    const response = await post(endless).catch(() => undefined)
    // A client may be cut off before it reads why.
    if (response !== undefined) expect(await codeOf(response)).toEqual([413, 'too_large'])
    await until(() => told.ended)
    expect(told.text).toContain('over 1048576 bytes')
    expect(sent).toBeLessThan(8 * 1_048_576)
    await assertServes(world)
  })

  it('HO8 that floods is taken line by line, and the others get their turn', async () => {
    const world = await opened()
    const { post, told } = await session(world)
    expect(await (await post(line(hello))).json()).toEqual({ taken: 1 })
    await until(() => told.text.includes('"welcome"'))
    const key = { run_id: 'r', task_id: 't', attempt: 1 }
    const flood = Array.from({ length: 20_000 }, (_, index) =>
      line({ type: 'log', ...key, seq: index + 1, text: 'x'.repeat(100) }),
    )
    const flooding = post(flood.join(''), { 'flotilla-from': '2' })
    let longest = 0
    let last = performance.now()
    const watch = setInterval(() => {
      longest = Math.max(longest, performance.now() - last)
      last = performance.now()
    }, 5)
    expect(await (await flooding).json()).toEqual({ taken: 20_001 })
    clearInterval(watch)
    expect(longest).toBeLessThan(1_000)
  })

  it('HO8 that never reads costs no more than its limit, and loses its session', async () => {
    const world = await opened({ maxBacklogBytes: 100_000 })
    const { post, told, stop } = await session(world)
    await post(line(hello))
    await until(() => told.text.includes('"welcome"'))
    stop()
    // Every ping is answered, and nobody fetches the answers.
    const ended = await post(line({ type: 'ping' }).repeat(5_000), { 'flotilla-from': '2' })
    expect((await codeOf(ended))[0]).toBe(409)
    expect(await codeOf(await post(line({ type: 'ping' }), { 'flotilla-from': '2' }))).toEqual([404, 'unknown_session'])
    await assertServes(world)
  })

  it('SE7 that only comes and says nothing gives way to those that say who they are', async () => {
    const world = await opened({ maxSessions: 200 })
    const silent = await Promise.all(Array.from({ length: 150 }, () => session(world)))
    // The first of them were sent away; what is left is bounded.
    await until(() => silent.filter(({ told }) => !told.ended).length <= 64)
    await assertServes(world)
  })

  it('HO8 finds the door closed when there are as many as may be', async () => {
    const world = await opened({ maxSessions: 1 })
    const first = await session(world)
    await first.post(line(hello))
    await until(() => first.told.text.includes('"welcome"'))
    const response = await fetch(`${world.url}/connect`)
    expect(response.headers.get('retry-after')).toBe('5')
    expect(await codeOf(response)).toEqual([503, 'too_many_sessions'])
    expect((await fetch(`${world.url}/connect`, { method: 'DELETE', headers: { 'flotilla-session': first.id } })).status).toBe(
      200,
    )
    await assertServes(world)
  })
})

describe.runIf(process.platform === 'linux')('what is left', () => {
  const descriptors = (): number => readdirSync('/proc/self/fd').length
  const timers = (): number => process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length

  it('CO8 is nothing: sockets, timers and descriptors are as many after workers came and went as before', async () => {
    const world = await opened({ keepAliveMs: 100 })
    const before = { descriptors: descriptors(), timers: timers() }
    for (let round = 0; round < 5; round += 1) {
      await assertServes(world)
      const refused = connectWorker({ url: world.url, workerId: 'w1', token: 'wrong', handlers: { work: () => 1 } })
      await expect(refused.done).rejects.toMatchObject({ code: 'unauthenticated' })
      const { stop, post } = await session(world)
      await (await post(line(hello))).text()
      stop()
    }
    // Connections are kept for the next request for a moment, on both sides.
    await until(() => descriptors() <= before.descriptors && timers() <= before.timers, 'everything to be let go')
    const worker = connectWorker({ url: world.url, workerId: 'w1', token, handlers: { work: () => 1 } })
    await until(() => worker.isConnected)
    // What is counted is what a worker has.
    expect(descriptors()).toBeGreaterThan(before.descriptors)
    await worker.close({ graceMs: 0 })
  })
})
