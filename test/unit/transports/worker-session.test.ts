import { existsSync, readFileSync, writeFileSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { diskFiles } from '../../../src/host/files.ts'
import { systemClock } from '../../../src/host/clock.ts'
import type { Channel } from '../../../src/ports/transport.ts'
import type { FromWorker } from '../../../src/protocol/wire.ts'
import type { HelloFrame, WorkerFrame } from '../../../src/protocol/worker-protocol.ts'
import { createVirtualClock } from '../../../src/testing/virtual-clock.ts'
import type { VirtualClock } from '../../../src/testing/virtual-clock.ts'
import { AttemptLines } from '../../../src/transports/session/attempt-lines.ts'
import { greet } from '../../../src/transports/session/worker-greeting.ts'
import { openSession } from '../../../src/transports/session/worker-session.ts'
import type { SessionTerms } from '../../../src/transports/session/worker-session.ts'
import { assignment } from '../../fixtures/conversation.ts'
import { scratch } from '../../fixtures/scratch.ts'
import { hello, workerEnd } from '../../support/worker-end.ts'

const key = { run_id: 'run-1', task_id: 'task-1', attempt: 1 }
const resuming: HelloFrame = { ...hello, resumes: true }

let clock: VirtualClock
beforeEach(() => {
  clock = createVirtualClock()
})

/** A session over a connection in memory, and everything that its channel gave. */
async function session(said: HelloFrame = hello, terms: Partial<SessionTerms> & { readonly kept?: () => Promise<void> } = {}) {
  const worker = workerEnd()
  worker.say(said)
  const greeting = await greet(worker.connection, { clock, helloTimeoutMs: 1_000 })
  const { kept = () => Promise.resolve(), ...rest } = terms
  const channel = openSession(greeting, {
    launch: { workerId: 'w1', incarnation: 'inc-1', slots: 4, leaseTtlMs: 60_000, kept },
    clock,
    sharesFiles: true,
    files: diskFiles(),
    ...rest,
  })
  return { worker, channel, heard: listen(channel) }
}

function listen(channel: Channel): FromWorker[] {
  const heard: FromWorker[] = []
  void (async () => {
    for await (const message of channel.messages) heard.push(message)
  })()
  return heard
}

const log = (seq: number, text = `line ${seq}\n`): WorkerFrame => ({ type: 'log', ...key, seq, text })
const task = { instructions: 'x' }
const assign = (more = {}, places = {}) =>
  assignment({ ...task, ...more, id: key.task_id }, { ...places, run_id: key.run_id } as never)
const types = (messages: readonly { readonly type: string }[]) => messages.map(({ type }) => type)

describe('greeting', () => {
  const greeted = (worker = workerEnd()) => ({
    worker,
    greeting: greet(worker.connection, { clock, helloTimeoutMs: 1_000 }).then(
      () => 'taken',
      (error: Error) => error.message,
    ),
  })

  test('HO1 the fleet answers a hello with what the worker needs to know', async () => {
    const { worker, heard } = await session()
    await clock.settle()
    expect(worker.told).toEqual([
      {
        ...{ type: 'welcome', protocol: 1, worker_id: 'w1', incarnation: 'inc-1', slots: 4 },
        ...{ lease_ttl_ms: 60_000, heartbeat_ms: 15_000, shares_files: true },
      },
    ])
    expect(heard).toEqual([{ type: 'hello', worker_id: 'w1', incarnation: 'inc-1', attempts: [] }])
  })

  test('HO1 another version of the protocol is refused by name', async () => {
    const { worker, greeting } = greeted()
    worker.say({ ...hello, protocol: 2 })
    expect(await greeting).toContain('speaks version 2')
    expect(worker.told).toMatchObject([{ type: 'refused', code: 'unsupported_protocol' }])
    expect(worker.closedBy).toBeDefined()
  })

  test('HO1 a worker that says nothing is given up after its time', async () => {
    const { worker, greeting } = greeted()
    await clock.advance(999)
    expect(worker.closedBy).toBeUndefined()
    await clock.advance(1)
    expect(await greeting).toContain('did not say hello within 1 s')
    expect(clock.pending).toBe(0)
  })

  test.each([
    ['something else first', log(1)],
    ['what is no JSON', '{"type":'],
    ['a line of 2 MiB', JSON.stringify({ ...hello, token: 'x'.repeat(2 ** 21) })],
    ['nested brackets', `{"type":"hello","protocol":1,"attempts":${'['.repeat(200_000)}`],
  ])('HO8 %s ends the line with an error', async (_, said) => {
    const { worker, greeting } = greeted()
    worker.say(said)
    expect(await greeting).not.toBe('taken')
    expect(worker.told).toMatchObject([{ type: 'refused' }])
  })

  test('HO8 a worker that goes before it says hello leaves nothing behind', async () => {
    const { worker, greeting } = greeted()
    worker.end('it died')
    expect(await greeting).toContain('it died')
    expect(clock.pending).toBe(0)
  })

  test('HO1 what comes right after the hello is not lost', async () => {
    const worker = workerEnd()
    worker.say(hello)
    worker.say(log(1))
    const greeting = await greet(worker.connection, { clock, helloTimeoutMs: 1_000 })
    worker.say(log(2))
    const launch = { workerId: 'w1', incarnation: 'i', slots: 1, leaseTtlMs: 60_000, kept: () => Promise.resolve() }
    const heard = listen(openSession(greeting, { launch, clock, sharesFiles: true, files: diskFiles() }))
    await clock.settle()
    expect(types(heard)).toEqual(['hello', 'log', 'log'])
  })
})

describe('numbers', () => {
  test('HO7 a message is taken once, whatever is repeated', async () => {
    const { worker, heard } = await session()
    for (const seq of [1, 1, 2, 1, 2, 3]) worker.say(log(seq))
    await clock.settle()
    expect(heard.slice(1).map((message) => message.type === 'log' && message.text)).toEqual(['line 1\n', 'line 2\n', 'line 3\n'])
  })

  test.each([
    ['a message that is missing', [log(1), log(3)], 'the message 3 of an attempt where 2 was expected'],
    ['anything after the last message', [{ type: 'result', ...key, seq: 1 } as WorkerFrame, log(2)], 'after the last one'],
    ['a second hello', [hello], 'a second hello'],
  ])('HO8 %s ends the line and says why', async (_, frames, expected) => {
    const { worker, channel, heard } = await session()
    for (const frame of frames) worker.say(frame)
    worker.say(log(9))
    await clock.settle()
    expect(worker.tellings('refused')).toMatchObject([
      { code: 'invalid_message', reason: expect.stringContaining(expected) as string },
    ])
    expect((await channel.closed).asked).toBe(false)
    expect(types(heard)).not.toContain('log line 9')
    expect(clock.pending).toBe(0)
  })

  test('LE2 what is said of an attempt that was never given is handed on for the fleet to judge, from whatever number', async () => {
    const { worker, heard } = await session()
    worker.say({ ...(log(7) as Extract<WorkerFrame, { type: 'log' }>), attempt: 9 })
    await clock.settle()
    expect(heard.at(-1)).toMatchObject({ type: 'log', attempt: 9 })
  })

  test('HO8 what it remembers of attempts is bounded', async () => {
    const lines = new AttemptLines()
    const { worker } = await session(hello, { lines })
    for (let attempt = 1; attempt <= 3_000; attempt++) worker.say({ type: 'stopped', ...key, attempt, seq: 1 })
    expect([...lines.all()]).toHaveLength(1_000)
  })
})

describe('resuming', () => {
  test('HO7 what is durable is acknowledged, and not before', async () => {
    let keep!: () => void
    const kept = () => new Promise<void>((resolve) => (keep = resolve))
    const { worker } = await session(resuming, { kept })
    worker.say(log(1))
    worker.say(log(2))
    await clock.settle()
    expect(worker.tellings('ack')).toEqual([])
    keep()
    await clock.settle()
    const acked = worker.tellings('ack').at(-1)?.seq
    expect(acked === 1 || acked === 2).toBe(true)
    keep()
    await clock.settle()
    expect(worker.tellings('ack').at(-1)).toEqual({ type: 'ack', ...key, seq: 2 })
  })

  test('HO7 nobody acknowledges to a worker that does not resume', async () => {
    const { worker } = await session(hello)
    worker.say(log(1))
    await clock.settle()
    expect(worker.tellings('ack')).toEqual([])
  })

  test('HO7 what the fleet said and was not acknowledged is said again on the next line, in order, and only that', async () => {
    const lines = new AttemptLines()
    const first = await session(resuming, { lines })
    first.channel.send(assign())
    first.channel.send({ ...key, type: 'collected', report: 1, refused: 'no' })
    first.worker.say({ type: 'ack', ...key, seq: 1 })
    first.worker.end()
    await first.channel.closed
    // Said while there is no line.
    first.channel.send({ ...key, type: 'collected', report: 2, refused: 'no' })
    const second = await session({ ...resuming, attempts: [{ ...key, acked: 0, heard: 1 }] }, { lines })
    expect(second.worker.told.map((frame) => [frame.type, 'seq' in frame && frame.seq])).toEqual([
      ['welcome', false],
      ['collected', 2],
      ['collected', 3],
    ])
  })

  test('HO7 an attempt that the worker does not know any more is not spoken of again', async () => {
    const lines = new AttemptLines()
    const first = await session(resuming, { lines })
    first.channel.send(assign())
    first.worker.end()
    await first.channel.closed
    const second = await session(resuming, { lines })
    expect(types(second.worker.told)).toEqual(['welcome'])
  })

  test('HO7 a fleet that knows nothing of an attempt goes on where the worker says that it stands', async () => {
    const { worker, channel, heard } = await session({ ...resuming, attempts: [{ ...key, acked: 4, heard: 6 }] })
    worker.say(log(5))
    channel.send({ ...key, type: 'stop', code: 'lease_lost', reason: 'x', grace_ms: 0 })
    await clock.settle()
    expect(heard[0]).toMatchObject({ type: 'hello', attempts: [key] })
    expect(types(heard)).toEqual(['hello', 'log'])
    expect(worker.tellings('stop')).toMatchObject([{ seq: 7 }])
    expect(worker.tellings('refused')).toEqual([])
  })

  test('HO7 a line on which nothing is heard is given up; a pong is enough', async () => {
    const { worker, channel } = await session(resuming)
    for (let beats = 0; beats < 5; beats++) {
      await clock.advance(15_000)
      worker.say({ type: 'pong' })
    }
    expect(worker.tellings('ping').length).toBeGreaterThanOrEqual(4)
    expect(worker.closedBy).toBeUndefined()
    await clock.advance(61_000)
    expect((await channel.closed).reason).toContain('nothing was heard')
    expect(clock.pending).toBe(0)
  })
})

describe('files', () => {
  test('AR2 bytes in line and in pieces become the artifact’s bytes', async () => {
    const { worker, heard } = await session(hello, { sharesFiles: false })
    const artifact = { type: 'artifact', ...key, report: 1, kind: 'report', path: 'a.txt' } as const
    worker.say({ ...artifact, seq: 1, bytes: Buffer.from('small').toString('base64') })
    worker.say({ type: 'chunk', ...key, seq: 2, transfer: 1, bytes: Buffer.from('lar').toString('base64') })
    worker.say({ type: 'chunk', ...key, seq: 3, transfer: 1, bytes: Buffer.from('ge').toString('base64') })
    worker.say({ ...artifact, seq: 4, report: 2, transfer: 1 })
    worker.say({ ...artifact, seq: 5, report: 3, transfer: 2 })
    await clock.settle()
    const bytes = heard.flatMap((message) => (message.type === 'artifact' ? [Buffer.from(message.bytes!).toString()] : []))
    expect(bytes).toEqual(['small', 'large', ''])
  })

  test('AR4 a file over the limit is refused by name, and the attempt goes on', async () => {
    const { worker, heard } = await session(hello, { sharesFiles: false })
    const piece = Buffer.alloc(700_000).toString('base64')
    for (let seq = 1; seq <= 100; seq++) worker.say({ type: 'chunk', ...key, seq, transfer: 1, bytes: piece })
    worker.say({ type: 'artifact', ...key, seq: 101, report: 1, kind: 'k', path: 'big', transfer: 1 })
    worker.say(log(102))
    await clock.settle()
    expect(worker.tellings('collected')).toMatchObject([
      { report: 1, refused: expect.stringContaining('big is larger') as string },
    ])
    expect(types(heard)).toEqual(['hello', 'log'])
  })

  test('AR3 a worker elsewhere cannot name a file of the fleet; one that shares files can', async () => {
    const artifact = { type: 'artifact', ...key, seq: 1, report: 1, kind: 'k', path: 'a.txt' } as const
    const elsewhere = await session(hello, { sharesFiles: false })
    elsewhere.worker.say(artifact)
    const here = await session()
    here.worker.say(artifact)
    await clock.settle()
    expect(elsewhere.worker.tellings('collected')).toHaveLength(1)
    expect(types(elsewhere.heard)).toEqual(['hello'])
    expect(types(here.heard)).toEqual(['hello', 'artifact'])
  })

  test('WS2 input files come before the assignment, which tells a worker elsewhere no path of the fleet', async () => {
    const { path: root, remove } = await scratch({ 'in.txt': 'text', 'data/a.csv': 'a', 'data/b.csv': 'b', 'other.txt': 'no' })
    onTestFinished(remove)
    const { worker, channel } = await session(hello, { sharesFiles: false, clock: systemClock() })
    channel.send(assign({ input_files: ['in.txt', 'data/*.csv'] }, { root, folder: join(root, 'attempt') }))
    await expect.poll(() => worker.tellings('assign').length).toBe(1)
    expect(worker.tellings('file').map(({ path }) => path)).toEqual(['in.txt', 'data/a.csv', 'data/b.csv'])
    expect(worker.tellings('chunk').map(({ bytes }) => Buffer.from(bytes, 'base64').toString())).toEqual(['text', 'a', 'b'])
    expect(worker.told.at(-1)).toMatchObject({ type: 'assign', seq: 7 })
    expect(JSON.stringify(worker.told)).not.toContain(root)
  })

  test('VE2 what a scorer reads at a worker elsewhere is on disk here before the result is handed on', async () => {
    const { path: root, remove } = await scratch()
    onTestFinished(remove)
    const folder = join(root, 'attempt')
    const { worker, channel, heard } = await session(hello, { sharesFiles: false, clock: systemClock() })
    channel.send(assign({}, { root, folder }))
    const evidence = { type: 'evidence', ...key } as const
    worker.say({ type: 'chunk', ...key, seq: 1, transfer: 1, bytes: Buffer.from('{"ok":true}').toString('base64') })
    worker.say({ ...evidence, seq: 2, path: 'out/a.json', found: 'file', transfer: 1 })
    worker.say({ ...evidence, seq: 3, path: 'gone', found: 'missing' })
    worker.say({ ...evidence, seq: 4, path: 'folder', found: 'no_file' })
    worker.say({ ...evidence, seq: 5, path: '../../evil', found: 'file' })
    worker.say({ type: 'result', ...key, seq: 6 })
    await expect.poll(() => heard.length).toBe(2)
    expect(heard[1]).toMatchObject({ type: 'result', evidence_root: join(folder, 'evidence') })
    expect(readFileSync(join(folder, 'evidence/out/a.json'), 'utf8')).toBe('{"ok":true}')
    expect(existsSync(join(folder, 'evidence/gone'))).toBe(false)
    expect(existsSync(join(root, 'evil'))).toBe(false)
  })

  test('VE2 evidence that cannot be kept makes the attempt a transport failure, not a verdict', async () => {
    const { path: root, remove } = await scratch()
    onTestFinished(remove)
    mkdirSync(join(root, 'attempt'))
    writeFileSync(join(root, 'attempt', 'evidence'), 'in the way')
    const { worker, channel, heard } = await session(hello, { sharesFiles: false, clock: systemClock() })
    channel.send(assign({}, { root, folder: join(root, 'attempt') }))
    worker.say({ type: 'evidence', ...key, seq: 1, path: 'a', found: 'file' })
    worker.say({ type: 'result', ...key, seq: 2 })
    await expect.poll(() => heard.length).toBe(2)
    expect(heard[1]).toMatchObject({ type: 'failed', failure_kind: 'transport' })
  })
})

describe('the end', () => {
  test('HO1 closing tells the worker, waits for it, and says that it was asked for', async () => {
    const { worker, channel } = await session()
    const closing = channel.close({ reason: 'enough', graceMs: 5_000 })
    await clock.settle()
    expect(worker.tellings('bye')).toEqual([{ type: 'bye', reason: 'enough', grace_ms: 5_000 }])
    worker.end('it exited')
    await closing
    expect(await channel.closed).toEqual({ reason: 'enough', asked: true })
    expect(clock.pending).toBe(0)
  })

  test('HO1 a worker that does not go is left after the grace', async () => {
    const { worker, channel } = await session()
    const closing = channel.close({ reason: 'enough', graceMs: 5_000 })
    await clock.advance(5_000)
    await closing
    expect(worker.closedBy).toBe('enough')
  })

  test('WO1 a worker that says bye is gone; one that drains is not', async () => {
    const { worker, channel, heard } = await session()
    worker.say({ type: 'drain' })
    await clock.settle()
    expect(types(heard)).toEqual(['hello', 'drain'])
    worker.say({ type: 'bye', reason: 'it is late' })
    expect(await channel.closed).toEqual({ reason: 'the worker left: it is late', asked: false })
  })

  test('HO4 a worker whose log is not read as fast as it comes is held back, and let go on', async () => {
    const worker = workerEnd()
    worker.say(hello)
    const greeting = await greet(worker.connection, { clock, helloTimeoutMs: 1_000 })
    const launch = { workerId: 'w1', incarnation: 'i', slots: 1, leaseTtlMs: 60_000, kept: () => Promise.resolve() }
    const channel = openSession(greeting, { launch, clock, sharesFiles: true, files: diskFiles() })
    for (let seq = 1; seq <= 6; seq++) worker.say(log(seq, 'x'.repeat(1_000_000)))
    expect(worker.isPaused).toBe(true)
    const heard = listen(channel)
    await clock.settle()
    expect(heard).toHaveLength(7)
    expect(worker.isPaused).toBe(false)
  })
})
