import { describe, expect, it } from 'vitest'
import type { AttemptContext } from '../../../src/worker/attempt.ts'
import type { FleetSide } from '../../fixtures/fleet-side.ts'
import { connected, held } from '../../fixtures/still-worker.ts'

const key = { run_id: 'run', task_id: 'task', attempt: 1 }
const identity = { workerId: 'one', incarnation: 'first', token: 'secret', resumes: true }

describe('a connection that is lost', () => {
  it('HO7 the work goes on without one, and the next one gets what was not acknowledged, in order', async () => {
    const work = held()
    const { fleet, flow, line, again, runtime } = await connected({
      ...identity,
      run: async (_, attempt) => {
        await attempt.log('before')
        const value = await work.run(attempt)
        await attempt.log('after')
        return value
      },
    })
    fleet.assign(key)
    await flow()
    line.cut()
    work.end('task', 'done')
    await flow()
    expect(fleet.said(key)).toEqual([{ type: 'accepted' }, { type: 'log', text: 'before\n' }])
    expect(runtime.isOver).toBe(false)
    await again()
    expect(fleet.frames.filter(({ type }) => type === 'hello').at(-1)).toMatchObject({
      ...{ worker_id: 'one', incarnation: 'first', token: 'secret', resumes: true },
      attempts: [{ ...key, acked: 2, heard: 1 }],
    })
    expect(fleet.said(key).slice(2)).toEqual([
      { type: 'log', text: 'after\n' },
      { type: 'result', output: 'done' },
    ])
    expect(fleet.problems).toEqual([])
  })

  it('HO7 a lost acknowledgement makes the worker say it again, with the same numbers', async () => {
    const { fleet, line, again, clock } = await connected({ ...identity, run: () => 'done' })
    fleet.assign(key)
    line.down()
    await clock.settle()
    line.up()
    // The fleet has taken all, and its answers are lost.
    expect(fleet.said(key)).toHaveLength(2)
    line.cut()
    await again()
    expect(fleet.frames.filter((frame) => frame.type === 'result').map(({ seq }) => seq)).toEqual([2, 2])
    expect(fleet.said(key)).toEqual([{ type: 'accepted' }, { type: 'result', output: 'done' }])
    const third = await again()
    void third
    expect(fleet.frames.filter(({ type }) => type === 'hello').at(-1)).toMatchObject({ attempts: [] })
  })

  it('LE1 an assignment that comes again is not begun again, also when its attempt has ended long ago', async () => {
    let begun = 0
    const { fleet, flow, line } = await connected({ ...identity, run: () => (begun += 1) })
    fleet.assign(key)
    await flow()
    const assignment = { type: 'assign', ...key, seq: 1, task: {}, previous: [], dependencies: [], environment: {} }
    line.write(JSON.stringify({ ...assignment, allow_parallel_reads: false }))
    await flow()
    expect(begun).toBe(1)
    expect(fleet.said(key)).toHaveLength(2)
    // It is acknowledged once more: the answer may be what was lost.
    expect(fleet.frames.filter(({ type }) => type === 'ack')).toHaveLength(2)
  })

  it('LE4 after the ttl without a connection the attempts are aborted with lease_lost, and not a moment before', async () => {
    const work = held()
    const { fleet, flow, line, clock, again } = await connected(
      { ...identity, run: (_, attempt) => work.run(attempt) },
      { lease_ttl_ms: 20_000, heartbeat_ms: 5_000 },
    )
    fleet.assign(key)
    await flow()
    line.cut()
    await clock.advance(19_999)
    expect(work.aborted).toEqual([])
    await clock.advance(1)
    expect(work.aborted).toEqual(['lease_lost'])
    await again()
    expect(fleet.said(key).at(-1)).toEqual({ type: 'stopped' })
  })

  it('LE3 a connection within the ttl keeps the attempt; the next loss has a whole ttl again', async () => {
    const work = held()
    const { fleet, flow, line, clock, again } = await connected(
      { ...identity, run: (_, attempt) => work.run(attempt) },
      { lease_ttl_ms: 20_000, heartbeat_ms: 5_000 },
    )
    fleet.assign(key)
    await flow()
    line.cut()
    await clock.advance(19_000)
    const next = await again()
    next.line.cut()
    await clock.advance(19_999)
    expect(work.aborted).toEqual([])
    await clock.advance(1)
    expect(work.aborted).toEqual(['lease_lost'])
  })

  it('LE2 a fleet that no longer knows an attempt stops it, and the worker forgets it once it has ended', async () => {
    const work = held()
    const { fleet, flow, line, again } = await connected({ ...identity, run: (_, attempt) => work.run(attempt) })
    fleet.assign(key)
    await flow()
    line.cut()
    work.end('task', 'done')
    const next = await again()
    void next
    fleet.say({ type: 'stop', ...key, code: 'lease_lost', reason: 'it runs elsewhere', grace_ms: 1 })
    await flow(next.line)
    const last = await again()
    void last
    expect(fleet.frames.filter(({ type }) => type === 'hello').at(-1)).toMatchObject({ attempts: [] })
  })

  it('HO7 a connection on which nothing is heard is pinged, and closed while half of the lease is left', async () => {
    const { line, clock } = await connected({ ...identity, run: () => 1 }, { lease_ttl_ms: 20_000, heartbeat_ms: 5_000 })
    await clock.advance(9_999)
    expect(line.isOpen).toBe(true)
    await clock.advance(1)
    expect(line.closedBecause).toBe('nothing was heard for 10 s')
  })

  it('HO7 a connection that answers its pings stays open for as long as nothing else happens', async () => {
    const { line, clock, flow, fleet } = await connected(
      { ...identity, run: () => 1 },
      { lease_ttl_ms: 20_000, heartbeat_ms: 5_000 },
    )
    for (let beat = 0; beat < 20; beat += 1) {
      await clock.advance(5_000)
      await flow()
    }
    expect(line.isOpen).toBe(true)
    expect(fleet.frames.filter(({ type }) => type === 'ping').length).toBeGreaterThan(15)
  })

  it('HO7 a fleet that does not answer the hello loses the connection, so that another can be tried', async () => {
    const { runtime, fleet, clock, line } = await connected({ ...identity, run: () => 1 })
    line.cut()
    const mute = fleet.line()
    const ended = runtime.attach(mute.connection)
    await clock.advance(10_000)
    expect(await ended).toEqual({ reason: 'the fleet did not answer the hello', wasWelcomed: false })
  })

  it('WO1 a drain is said again on the next connection, since a hello takes it back', async () => {
    const { fleet, flow, runtime, line, again } = await connected({ ...identity, run: () => 1 })
    void runtime.drain('maintenance')
    await flow()
    line.cut()
    await again()
    expect(fleet.frames.filter(({ type }) => type === 'drain')).toHaveLength(2)
  })

  it('CO8 after a bye the worker waits until its last frames are acknowledged, and then is done', async () => {
    const work = held()
    const { fleet, line, clock, runtime } = await connected({ ...identity, run: (_, attempt) => work.run(attempt) })
    fleet.assign(key)
    line.down()
    fleet.tell({ type: 'bye', reason: 'closing', grace_ms: 5_000 })
    line.down()
    await clock.settle()
    line.up()
    await clock.settle()
    expect(line.isOpen).toBe(true)
    line.down()
    await clock.settle()
    expect(line.closedBecause).toBe('closing')
    await runtime.done
    expect(clock.pending).toBe(0)
  })
})

describe('what is kept', () => {
  const limits = { window: 1_000, log: 2_000, all: 5_000 }

  it('AR5 text for the log gives way first: what is left out is counted and said where it is missing', async () => {
    const work = held()
    const { fleet, flow, line, again } = await connected({
      ...{ ...identity, limits },
      run: async (_, attempt) => {
        await work.run(attempt)
        for (let count = 0; count < 10; count += 1) await attempt.log('x'.repeat(499))
        await attempt.tool('still')
        return 'done'
      },
    })
    fleet.assign(key)
    await flow()
    line.cut()
    work.end('task')
    await flow()
    await again()
    const said = fleet.said(key) as { type: string; text?: string }[]
    const note = said.at(-2)
    expect(note?.text).toMatch(
      /^\[\d+ characters of the log were left out: the fleet could not be reached, and no more was kept\]\n$/,
    )
    const heard = said.slice(0, -2).reduce((sum, { type, text = '' }) => sum + (type === 'log' ? text.length : 0), 0)
    expect(heard + Number(/\d+/.exec(note?.text ?? '')?.[0])).toBe(5_000)
    expect(said.filter(({ type }) => type === 'progress')).toHaveLength(1)
    expect(said.at(-1)).toEqual({ type: 'result', output: 'done' })
  })

  it('HO7 work that reports more than can be kept is stopped, and its attempt is a transport failure', async () => {
    const work = held()
    const { fleet, flow, line, again } = await connected({
      ...{ ...identity, limits },
      run: async (_, attempt) => {
        await work.run(attempt)
        for (;;) {
          await attempt.tool('again and again')
        }
      },
    })
    fleet.assign(key)
    await flow()
    line.cut()
    work.end('task')
    await flow()
    const next = await again()
    await flow(next.line)
    expect(fleet.said(key).at(-1)).toMatchObject({ type: 'failed', failure_kind: 'transport' })
    expect(fleet.problems).toEqual([])
  })

  it('HO7 a file waits for room, goes when there is some, and is not sent once the attempt is stopped', async () => {
    const content = Buffer.alloc(6 * 1024 * 1024, 'file ')
    const send = async (attempt: AttemptContext) => {
      const files = ['a', 'b'].map((name) => attempt.artifact({ kind: 'report', name, content }))
      return (await Promise.all(files)).length
    }
    const chunks = (fleet: FleetSide) => fleet.taken(key).filter(({ type }) => type === 'chunk').length
    const terms = { lease_ttl_ms: 20_000, heartbeat_ms: 5_000 }
    const one = await connected({ ...identity, run: (_, attempt) => send(attempt) }, terms, { collects: true })
    one.fleet.assign(key)
    one.line.down()
    await one.clock.settle()
    one.line.cut()
    await one.clock.settle()
    const next = await one.again()
    await one.flow(next.line)
    expect(chunks(one.fleet)).toBe(24)
    expect(one.fleet.said(key).at(-1)).toEqual({ type: 'result', output: 2 })

    const other = await connected({ ...identity, run: (_, attempt) => send(attempt) }, terms, { collects: true })
    other.fleet.assign(key)
    other.line.down()
    await other.clock.settle()
    other.line.cut()
    await other.clock.advance(20_000)
    const last = await other.again()
    await other.flow(last.line)
    // The first was on its way, the second waited.
    expect(chunks(other.fleet)).toBe(12)
    expect(other.fleet.said(key).at(-1)).toEqual({ type: 'stopped' })
  })
})
