import { describe, expect, it } from 'vitest'
import { createVirtualClock } from '../../../src/testing/virtual-clock.ts'
import { createWorkerRuntime } from '../../../src/worker/create-worker-runtime.ts'
import { FleetSide } from '../../fixtures/fleet-side.ts'
import { connected, held } from '../../fixtures/still-worker.ts'

const key = { run_id: 'run', task_id: 'task', attempt: 1 }
const second = { ...key, task_id: 'other' }

describe('a conversation', () => {
  it('HO1 the hello says what the worker does, and the version that it speaks', async () => {
    const { fleet } = await connected({ handlers: { one: () => 1, two: () => 2 }, capabilities: ['gpu'] })
    expect(fleet.frames).toEqual([
      { type: 'hello', protocol: 1, handlers: ['one', 'two'], plain: false, capabilities: ['gpu'], attempts: [] },
    ])
  })

  it('HO1 an attempt is accepted, reported on and ended, each frame numbered, and nothing acknowledged to a worker that does not resume', async () => {
    const { fleet, flow } = await connected({
      handlers: {
        add: async (attempt) => {
          await attempt.tool('sum', 'call-1')
          await attempt.usage({ inputTokens: 3, outputTokens: 4 })
          await attempt.route({ providerId: 'p', providerKind: 'k', protocol: 'x' })
          await attempt.log('adding')
          return { sum: 3 }
        },
      },
    })
    fleet.assign(key, { handler: 'add' })
    await flow()
    expect(fleet.taken(key).map(({ seq }) => seq)).toEqual([1, 2, 3, 4, 5, 6])
    expect(fleet.said(key)).toEqual([
      { type: 'accepted' },
      { type: 'progress', event: { state: 'running_tool', tool: 'sum', call_id: 'call-1' } },
      { type: 'usage', input_tokens: 3, output_tokens: 4 },
      { type: 'route', route: { provider_id: 'p', provider_kind: 'k', protocol: 'x' } },
      { type: 'log', text: 'adding\n' },
      { type: 'result', output: { sum: 3 } },
    ])
    expect(fleet.frames.filter(({ type }) => type === 'ack')).toEqual([])
  })

  it('SC3 a task whose handler is not here fails for good, after it was accepted', async () => {
    const { fleet, flow } = await connected({ handlers: { add: () => 1 } })
    fleet.assign(key, { handler: 'subtract' })
    await flow()
    expect(fleet.said(key)).toMatchObject([{ type: 'accepted' }, { type: 'failed', failure_kind: 'task', recoverable: false }])
  })

  it('LE3 each attempt that runs has a heartbeat every heartbeat_ms, with the load of the process, and none when nothing runs', async () => {
    const work = held()
    const { fleet, clock, flow } = await connected({ run: (_, attempt) => work.run(attempt) })
    const beats = () => fleet.frames.filter(({ type }) => type === 'heartbeat')
    await clock.advance(60_000)
    await flow()
    expect(beats()).toEqual([])
    fleet.assign(key)
    fleet.assign(second)
    await flow()
    await clock.advance(30_000)
    await flow()
    expect(beats()).toHaveLength(4)
    expect(beats()[0]).toEqual({
      ...{ type: 'heartbeat', ...key },
      ...{ cpu_percent: expect.any(Number), memory_mb: expect.any(Number) },
    })
    work.end('task')
    work.end('other')
    await flow()
    await clock.advance(60_000)
    await flow()
    expect(beats()).toHaveLength(4)
    expect(clock.pending).toBe(0)
  })

  it('LE2 a stop aborts the attempt with its code, and the worker says that nothing of it runs any more', async () => {
    const work = held()
    const { fleet, flow } = await connected({ run: (_, attempt) => work.run(attempt) })
    fleet.assign(key)
    await flow()
    fleet.say({ type: 'stop', ...key, code: 'task_cancelled', reason: 'not wanted', grace_ms: 1 })
    await flow()
    expect(fleet.said(key)).toEqual([{ type: 'accepted' }, { type: 'stopped' }])
  })

  it('BU2 a hand-back reaches the work, and what it returns then is the result', async () => {
    const { fleet, flow } = await connected({
      run: (_, attempt) =>
        new Promise((resolve) => {
          attempt.handBack.addEventListener('abort', () => resolve((attempt.handBack.reason as Error).message))
        }),
    })
    fleet.assign(key)
    await flow()
    fleet.say({ type: 'hand_back', ...key, reason: 'no tokens left', grace_ms: 1 })
    await flow()
    expect(fleet.said(key).at(-1)).toEqual({ type: 'result', output: 'no tokens left' })
  })

  it('AR2 the answer of the fleet to an artifact reaches its caller', async () => {
    const { fleet, flow } = await connected({
      run: async (_, attempt) => (await attempt.artifact({ kind: 'report', path: 'a.txt' })).checksum,
    })
    fleet.assign(key)
    await flow()
    expect(fleet.said(key).at(-1)).toEqual({ type: 'artifact', report: 1, kind: 'report', path: 'a.txt' })
    fleet.say({ type: 'collected', ...key, report: 1, artifact: { kind: 'report', path: 'a.txt', checksum: 'sha256:00' } })
    await flow()
    expect(fleet.said(key).at(-1)).toEqual({ type: 'result', output: 'sha256:00' })
  })

  it('HO8 a ping is answered at once, also before the welcome', async () => {
    const clock = createVirtualClock()
    const fleet = new FleetSide()
    const line = fleet.line()
    void createWorkerRuntime({ clock, run: () => 1 }).attach(line.connection)
    line.up()
    fleet.tell({ type: 'ping' })
    line.down()
    line.up()
    expect(fleet.frames.at(-1)).toEqual({ type: 'pong' })
  })

  it('HO8 a worker refuses a result that no fleet would take, and says so of the attempt', async () => {
    const { fleet, flow } = await connected({ run: (task) => 'x'.repeat(task.id === 'task' ? 1_100_000 : 900_000) })
    fleet.assign(key)
    fleet.assign(second)
    await flow()
    expect(fleet.said(key).at(-1)).toMatchObject({ type: 'failed', failure_kind: 'task' })
    expect(JSON.stringify(fleet.said(key).at(-1))).toContain('1048576 bytes')
    expect(fleet.said(second).at(-1)).toMatchObject({ type: 'result' })
  })

  it('HO8 a report that no fleet would take throws where it is made, and the attempt goes on', async () => {
    const { fleet, flow } = await connected({
      run: async (_, attempt) => {
        try {
          await attempt.workflow('w', 'x'.repeat(1_100_000))
        } catch (error) {
          return (error as { code: string }).code
        }
      },
    })
    fleet.assign(key)
    await flow()
    expect(fleet.said(key)).toEqual([{ type: 'accepted' }, { type: 'result', output: 'too_large' }])
  })

  it('SE5 values of secrets stand in no reason of a failure, not even in part where it is cut', async () => {
    const value = 'correct-horse-battery-staple'
    const { fleet, flow } = await connected({
      run(task, attempt) {
        expect(attempt.secrets.get('TOKEN')).toBe(value)
        throw new Error(task.id === 'task' ? `cannot use ${value}` : `${'x'.repeat(4_080)}${value}`)
      },
    })
    fleet.assign(key, {}, { secrets: { TOKEN: value } })
    fleet.assign(second, {}, { secrets: { TOKEN: value } })
    await flow()
    expect(fleet.said(key).at(-1)).toMatchObject({ type: 'failed', reason: 'Error: cannot use <secret:TOKEN>' })
    expect(JSON.stringify(fleet.said(second).at(-1))).not.toContain('correct')
    expect(JSON.stringify(fleet.said(second).at(-1))).toContain('xxx')
  })

  it('AR5 a long text for the log goes in pieces below the limit of a line, never cut inside of a character', async () => {
    const text = `${'\u{1F600}'.repeat(300_000)}\n`
    const { fleet, flow } = await connected({ run: (_, attempt) => attempt.log(text) })
    fleet.assign(key)
    await flow()
    const pieces = fleet.taken(key).flatMap((frame) => (frame.type === 'log' ? [frame.text] : []))
    expect(pieces.length).toBeGreaterThan(3)
    expect(pieces.join('')).toBe(text)
    expect(pieces.every((piece) => !/\p{Cs}/u.test(piece))).toBe(true)
  })
})

describe('the end', () => {
  it('HO5 when its line ends, a worker that does not resume aborts all with lease_lost and is done', async () => {
    const reasons: unknown[] = []
    const { fleet, flow, line, runtime, ended, clock } = await connected({
      run: (_, attempt) =>
        new Promise((resolve) => {
          attempt.signal.addEventListener('abort', () => {
            reasons.push((attempt.signal.reason as { code: string }).code)
            resolve(1)
          })
        }),
    })
    fleet.assign(key)
    await flow()
    line.cut('standard input has ended')
    expect(await ended).toEqual({ reason: 'standard input has ended', wasWelcomed: true })
    await runtime.done
    expect(reasons).toEqual(['lease_lost'])
    expect(runtime.isOver).toBe(true)
    expect(clock.pending).toBe(0)
  })

  it('CO8 after the bye of the fleet the last frames are said, then the line ends', async () => {
    const work = held()
    const { fleet, flow, runtime, ended } = await connected({ run: (_, attempt) => work.run(attempt) })
    fleet.assign(key)
    await flow()
    fleet.tell({ type: 'bye', reason: 'the fleet closes', grace_ms: 1_000 })
    await flow()
    expect(fleet.said(key)).toEqual([{ type: 'accepted' }, { type: 'stopped' }])
    expect(await ended).toMatchObject({ reason: 'the fleet closes' })
    await runtime.done
  })

  it('WO3 work that ignores the bye keeps the line open for the grace, and no longer', async () => {
    const { fleet, flow, line, clock } = await connected({ run: () => new Promise(() => {}) })
    fleet.assign(key)
    await flow()
    fleet.tell({ type: 'bye', reason: 'the fleet closes', grace_ms: 1_000 })
    await flow()
    await clock.advance(999)
    expect(line.isOpen).toBe(true)
    await clock.advance(1)
    expect(line.isOpen).toBe(false)
    expect(fleet.said(key)).toEqual([{ type: 'accepted' }])
  })

  it('LE8 a worker that leaves gives back what it ran, and says bye', async () => {
    const work = held()
    const { fleet, flow, runtime, line } = await connected({ run: (_, attempt) => work.run(attempt) })
    fleet.assign(key)
    await flow()
    const closed = runtime.close({ reason: 'maintenance', graceMs: 1_000 })
    await flow()
    await closed
    await runtime.done
    expect(fleet.said(key)).toEqual([{ type: 'accepted' }, { type: 'stopped', released: 'maintenance' }])
    // The bye was sent before the line was closed: nothing moves on a closed one.
    expect(line.closedBecause).toBe('maintenance')
  })

  it('WO1 a worker that drains takes no more: what is assigned nevertheless is released', async () => {
    const work = held()
    const { fleet, flow, runtime } = await connected({ run: (_, attempt) => work.run(attempt) })
    fleet.assign(key)
    await flow()
    const drained = runtime.drain('maintenance')
    fleet.assign(second)
    await flow()
    expect(fleet.frames).toContainEqual({ type: 'drain', reason: 'maintenance' })
    expect(fleet.said(second)).toEqual([{ type: 'accepted' }, { type: 'stopped', released: 'maintenance' }])
    work.end('task', 'done')
    await flow()
    await drained
    expect(fleet.said(key).at(-1)).toEqual({ type: 'result', output: 'done' })
  })

  it.each([
    ['no JSON', 'nonsense', 'a line that is no JSON'],
    ['an unknown type', '{"type":"dance"}', 'unknown type "dance"'],
    ['a field of another type', '{"type":"ack","run_id":"r","task_id":"t","attempt":1,"seq":"one"}', 'whose seq is no count'],
    ['no object', '[]', 'what is no frame'],
  ])('HO8 a line of the fleet with %s ends the connection, and says why', async (_, text, words) => {
    const { line, ended } = await connected({ run: () => 1 })
    line.write(text)
    line.down()
    expect((await ended).reason).toContain(words)
  })

  it('HO8 a frame that comes before one that is missing ends the connection; a repeated one changes nothing', async () => {
    const work = held()
    const { fleet, line, ended, flow } = await connected({ run: (_, attempt) => work.run(attempt) })
    fleet.assign(key)
    await flow()
    line.write(JSON.stringify({ type: 'assign', ...key, seq: 1, task: {}, ...rest }))
    line.down()
    await flow()
    expect(line.isOpen).toBe(true)
    expect(work.begun).toEqual(['task'])
    line.write(JSON.stringify({ type: 'stop', ...key, seq: 3, code: 'lease_lost', reason: 'gone', grace_ms: 1 }))
    line.down()
    expect((await ended).reason).toContain('before number 3 of its attempt is missing')
  })

  it('HO1 a fleet that refuses the worker tells its code and its reason', async () => {
    const clock = createVirtualClock()
    const line = new FleetSide().line()
    const ended = createWorkerRuntime({ clock, run: () => 1 }).attach(line.connection)
    line.write(JSON.stringify({ type: 'refused', code: 'unsupported_protocol', reason: 'another version' }))
    line.down()
    expect(await ended).toEqual({
      ...{ reason: 'another version', wasWelcomed: false },
      refused: { code: 'unsupported_protocol', reason: 'another version' },
    })
  })

  it('HO1 a fleet of another version, and one that speaks before its welcome, are left', async () => {
    const clock = createVirtualClock()
    const other = new FleetSide({ protocol: 2 }).line()
    const ended = createWorkerRuntime({ clock, run: () => 1 }).attach(other.connection)
    other.up()
    other.down()
    expect((await ended).reason).toBe('the fleet speaks version 2 of the worker protocol, and this worker 1')
    const early = new FleetSide().line()
    const endedToo = createWorkerRuntime({ clock, run: () => 1 }).attach(early.connection)
    early.write(JSON.stringify({ type: 'ack', ...key, seq: 1 }))
    early.down()
    expect((await endedToo).reason).toBe('the fleet sent a frame ack before its welcome')
  })

  it('a worker that could do nothing, or whose handlers share a name, is refused', () => {
    expect(() => createWorkerRuntime({})).toThrow('neither handlers nor run')
    expect(() => createWorkerRuntime({ run: () => 1 })).not.toThrow()
  })
})

const rest = { previous: [], dependencies: [], environment: {}, allow_parallel_reads: false }
