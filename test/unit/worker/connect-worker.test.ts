import { once } from 'node:events'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { createFleet, dialIn, FleetError } from 'flotilla'
import { createWorkerHandler, nodeListener } from 'flotilla/http'
import { connectWorker, type ConnectOptions } from 'flotilla/worker'
import { describe, expect, it, onTestFinished } from 'vitest'
import { createVirtualClock } from '../../../src/testing/virtual-clock.ts'
import { pauseBeforeRetry } from '../../../src/worker/reconnect-pause.ts'
import { until } from '../../fixtures/processes.ts'
import { webServer } from '../../fixtures/web-server.ts'
import { httpFleet, testToken } from '../../support/http-fleet.ts'

const task = { id: 'a', name: 'A', instructions: 'Work.', handler: 'work' }

async function opened(options: Parameters<typeof httpFleet>[0] = {}) {
  const world = await httpFleet(options)
  onTestFinished(() => world[Symbol.asyncDispose]())
  return world
}

describe('connectWorker', () => {
  it('HO2 tells all that is wrong with its options at once, and connects nowhere', () => {
    const problemsOf = (options: Partial<ConnectOptions>): unknown => {
      try {
        void connectWorker({ url: 'https://fleet.example', workerId: 'w1', handlers: { work: () => 1 }, ...options }).close({
          graceMs: 0,
        })
      } catch (error) {
        return FleetError.is(error, 'invalid_option') ? error.details['problems'] : error
      }
      return undefined
    }
    const wrong = { url: 'ftp://fleet.example', workerId: 'fleet', reconnect: { firstMs: 5, mostMs: 1 } }
    expect(problemsOf(wrong)).toEqual([
      expect.stringContaining('workerId'),
      expect.stringContaining('url'),
      expect.stringContaining('reconnect'),
    ])
    for (const url of ['https://user:word@fleet.example', 'https://fleet.example/?token=x', 'https://fleet.example/#x']) {
      expect(problemsOf({ url }), url).toEqual([expect.stringContaining('an address is written down in many places')])
    }
    expect(problemsOf({ url: 'http://fleet.example' })).toEqual([expect.stringContaining('plainHttp: true')])
    for (const url of ['http://127.0.0.1:1', 'http://localhost:1', 'http://[::1]:1', 'https://fleet.example']) {
      expect(problemsOf({ url, fetch: () => Promise.reject(new Error('not asked')) }), url).toBeUndefined()
    }
    expect(problemsOf({ url: 'http://fleet.example', plainHttp: true, fetch: () => Promise.reject(new Error()) })).toBeUndefined()
  })

  it('WO1 another process of the same id takes its place, and it does not come back', async () => {
    const { fleet, connect } = await opened()
    const first = connect({ handlers: { work: () => 'first' } })
    await until(() => fleet.workers()[0]?.status === 'online')
    const second = connect({ handlers: { work: () => 'second' } })
    await expect(first.done).rejects.toMatchObject({ details: { code: 'superseded' } })
    const run = await fleet.start({ name: 'r', tasks: [task] })
    expect((await run.result()).receipts['a']).toMatchObject({ output: 'second' })
    expect(second.isConnected).toBe(true)
  })

  it('CO8 a fleet that closes ends its sessions; the worker waits, and does the tasks of the next', async () => {
    const first = await createFleet({ workers: [{ id: 'w1', transport: dialIn({ handlers: ['work'], token: testToken }) }] })
    const server = await webServer(nodeListener(createWorkerHandler(first)))
    const { port, url } = server
    const worker = connectWorker({
      ...{ url, workerId: 'w1', token: testToken, reconnect: { firstMs: 20, mostMs: 100 } },
      handlers: { work: () => 'done' },
    })
    onTestFinished(() => worker.close({ graceMs: 0 }))
    await until(() => first.workers()[0]?.status === 'online')
    await first.close()
    expect(await (await fetch(`${url}/messages`, { method: 'POST', body: '' })).json()).toMatchObject({
      error: { code: 'unknown_session' },
    })
    await server[Symbol.asyncDispose]()

    const second = await createFleet({ workers: [{ id: 'w1', transport: dialIn({ handlers: ['work'], token: testToken }) }] })
    await using _ = await webServer(nodeListener(createWorkerHandler(second)), { port })
    const run = await second.start({ name: 'r', tasks: [task] })
    expect((await run.result()).receipts['a']).toMatchObject({ output: 'done' })
    await second.close()
  })

  it('WO1 draining ends what runs, takes no more, and leaves', async () => {
    const { fleet, connect } = await opened()
    let finish = (): void => undefined
    const held = new Promise<void>((resolve) => (finish = resolve))
    const worker = connect({ handlers: { work: () => held } })
    const run = await fleet.start({ name: 'r', tasks: [task, { ...task, id: 'b' }] })
    await until(() => fleet.workers()[0]?.busy === 1)
    await until(async () => (await run.tasks()).some(({ status }) => status === 'running'))
    const drained = worker.drain()
    await new Promise((resolve) => setTimeout(resolve, 50))
    finish()
    await drained
    expect((await run.tasks()).map(({ id, status }) => [id, status])).toEqual([
      ['a', 'completed'],
      ['b', 'enqueued'],
    ])
    expect(fleet.workers()[0]?.status).toBe('offline')
    await worker.done
  })

  it('HO5 leaving gives back what runs, by its signal as by close, and twice is safe', async () => {
    const { fleet, connect } = await opened()
    const leave = new AbortController()
    let reason: unknown
    const worker = connect({
      signal: leave.signal,
      handlers: {
        async work(attempt) {
          await attempt.delay(60_000).catch((error: unknown) => (reason = error))
        },
      },
    })
    const run = await fleet.start({ name: 'r', tasks: [task] })
    await until(async () => (await run.task('a')).status === 'running')
    leave.abort()
    await worker.done
    await worker.close()
    expect(reason).toMatchObject({ code: 'fleet_closed' })
    await until(async () => (await run.task('a')).status === 'enqueued')
    expect(fleet.workers()[0]?.status).toBe('offline')
  })

  it('HO5 leaving while nobody can be reached takes no longer than its grace', async () => {
    const { fleet, connect, proxy } = await opened()
    const worker = connect({ handlers: { work: () => new Promise(() => undefined) } })
    await fleet.start({ name: 'r', tasks: [task] })
    await until(() => fleet.workers()[0]?.busy === 1)
    proxy.cut()
    const since = performance.now()
    await worker.close({ graceMs: 200 })
    expect(performance.now() - since).toBeLessThan(3_000)
  })

  const pages: Readonly<Record<string, string>> = {
    'a page of a proxy': 'HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 4\r\nconnection: close\r\n\r\n<p/>',
    'an error without words': 'HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\nconnection: close\r\n\r\n',
    'a way elsewhere':
      'HTTP/1.1 307 Temporary Redirect\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\nconnection: close\r\n\r\n',
    'half an answer': 'HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\nevent: sess',
    'a session without sense':
      'HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\nevent: session\ndata: {"session":1}\n\n',
  }
  for (const [what, page] of Object.entries(pages)) {
    it(`HO7 ${what} in the place of the fleet is no end: it tries again`, async () => {
      const { fleet, connect, proxy } = await opened()
      proxy.answer(page)
      let asked = 0
      const worker = connect({
        handlers: { work: () => 'done' },
        fetch: (...how) => {
          asked += 1
          return fetch(...how)
        },
      })
      await until(() => asked >= 3)
      expect(worker.isConnected).toBe(false)
      proxy.heal()
      const run = await fleet.start({ name: 'r', tasks: [task] })
      expect((await run.result()).receipts['a']).toMatchObject({ output: 'done' })
    })
  }

  it('HO7 a server that accepts and says nothing is given up, and tried again', async () => {
    const deaf = createServer((socket) => socket.on('error', () => undefined))
    deaf.listen(0, '127.0.0.1')
    await once(deaf, 'listening')
    onTestFinished(() => void deaf.close())
    const { port } = deaf.address() as AddressInfo
    const clock = createVirtualClock()
    const asked: boolean[] = []
    const worker = connectWorker({
      ...{ url: `http://127.0.0.1:${port}`, workerId: 'w1', handlers: { work: () => 1 }, clock },
      fetch(url, how) {
        asked.push(new Headers(how?.headers).has('flotilla-poll'))
        return fetch(url, how)
      },
    })
    expect(asked).toEqual([false])
    await clock.advance(5_000)
    await until(() => asked.length === 2, 'the question in the other way')
    expect(asked).toEqual([false, true])
    await clock.advance(40_000)
    await until(() => asked.length > 2, 'another connection')
    const closed = worker.close({ graceMs: 0 })
    await clock.advance(1)
    await closed
    expect(clock.pending).toBe(0)
  })
})

describe('the pause before another try', () => {
  it('WO2 doubles up to its most, and lies in the upper half of that', async () => {
    const clock = createVirtualClock()
    const over = new AbortController()
    const pauseOf = async (failures: number, random: number): Promise<number> => {
      const since = clock.monotonic()
      const paused = pauseBeforeRetry({ clock, random: () => random, over: over.signal }, failures, {
        firstMs: 100,
        mostMs: 1_000,
      })
      let at = 0
      void paused.then(() => (at = clock.monotonic() - since))
      await clock.advance(2_000)
      return at
    }
    expect([await pauseOf(1, 0), await pauseOf(1, 1), await pauseOf(2, 0), await pauseOf(4, 1), await pauseOf(400, 1)]).toEqual([
      50, 100, 100, 800, 1_000,
    ])
    over.abort()
    expect(await pauseOf(9, 1)).toBe(0)
  })
})
