import { createFleet, dialIn, FleetError } from 'flotilla'
import type { DialInOptions, Fleet, FleetOptions, HelloFrame } from 'flotilla'
import { describe, expect, it, onTestFinished } from 'vitest'
import { createVirtualClock } from '../../../src/testing/virtual-clock.ts'
import { until } from '../../fixtures/processes.ts'
import { dial } from '../../support/dialled-worker.ts'

const token = 'the token of w1'

async function opened(way: DialInOptions | undefined, options: FleetOptions = {}): Promise<Fleet> {
  const workers = way === undefined ? [] : [{ id: 'w1', transport: dialIn({ handlers: ['work'], ...way }) }]
  const fleet = await createFleet({ workers, ...options })
  onTestFinished(() => fleet.close({ graceMs: 0 }))
  return fleet
}

const task = { id: 'a', name: 'A', instructions: 'Work.', handler: 'work' }

describe('a worker that dials in', () => {
  it('SE7 is taken with its token, and refused without it, with another, and with that of another worker', async () => {
    const other = { id: 'w2', transport: dialIn({ handlers: ['work'], token: 'the token of w2' }) }
    const fleet = await opened(undefined, { workers: [{ id: 'w1', transport: dialIn({ handlers: ['work'], token }) }, other] })
    for (const wrong of [{}, { token: '' }, { token: 'the token of w2' }, { token: `${token} ` }, { worker_id: 'w2', token }]) {
      const worker = dial(fleet, wrong)
      const outcome = await worker.outcome
      expect(outcome).toMatchObject({ attached: false, refusal: { code: 'unauthenticated' } })
      expect(await worker.hear('refused')).toMatchObject({ code: 'unauthenticated' })
      await until(() => worker.ended !== undefined)
      expect(JSON.stringify([outcome, worker.heard, worker.ended])).not.toContain('the token of')
    }
    expect(fleet.workers().map(({ status }) => status)).toEqual(['unknown', 'unknown'])

    const worker = dial(fleet, { token })
    expect(await worker.outcome).toEqual({ attached: true, workerId: 'w1', incarnation: 'i1' })
    expect(await worker.hear('welcome')).toMatchObject({ worker_id: 'w1', incarnation: 'i1', shares_files: false })
    expect(fleet.workers()[0]?.status).toBe('online')
  })

  it('SE7 may have its token as a secret of the fleet; one that cannot be resolved lets nobody in', async () => {
    const source = { source: 'vault', resolve: (key: string) => (key === 'W1_TOKEN' ? token : undefined) }
    const fleet = await opened({ token: { key: 'W1_TOKEN' } }, { secrets: source })
    expect(await dial(fleet, { token: 'W1_TOKEN' }).outcome).toMatchObject({ refusal: { code: 'unauthenticated' } })
    expect(await dial(fleet, { token }).outcome).toMatchObject({ attached: true })
    const without = await opened({ token: { key: 'MISSING' } }, { secrets: source })
    for (const said of [{ token: '' }, { token: 'undefined' }, {}]) {
      expect(await dial(without, said).outcome).toMatchObject({ refusal: { code: 'unauthenticated' } })
    }
  })

  it('SE7 is judged by `verify`, which sees its hello and the facts of its connection; only true lets it in', async () => {
    const seen: unknown[] = []
    const answers: Readonly<Record<string, () => unknown>> = {
      yes: () => true,
      later: async () => true,
      no: () => false,
      truthy: () => 'true',
      throws() {
        throw new Error('the database is down: password hunter2')
      },
      rejects: async () => Promise.reject(new Error('down')),
    }
    const verify = (hello: HelloFrame, facts: Readonly<Record<string, unknown>>): boolean => {
      seen.push([hello.worker_id, facts])
      return answers[String(facts['answer'])]?.() as boolean
    }
    const fleet = await opened({ verify })
    for (const answer of ['no', 'truthy', 'throws', 'rejects']) {
      const worker = dial(fleet, {}, { facts: { answer } })
      expect(await worker.outcome, answer).toMatchObject({ refusal: { code: 'unauthenticated' } })
      await worker.hear('refused')
      expect(JSON.stringify(worker.heard)).not.toContain('hunter2')
    }
    expect(await dial(fleet, {}, { facts: { answer: 'yes' } }).outcome).toMatchObject({ attached: true })
    expect(await dial(fleet, {}, { facts: { answer: 'later' } }).outcome).toMatchObject({ attached: true })
    expect(seen).toContainEqual(['w1', { answer: 'yes' }])
  })

  it('SE7 must satisfy both its token and `verify` where both are asked for', async () => {
    const fleet = await opened({ token, verify: (_, facts) => facts['ok'] === true })
    expect(await dial(fleet, { token }, { facts: { ok: false } }).outcome).toMatchObject({ attached: false })
    expect(await dial(fleet, { token: 'wrong' }, { facts: { ok: true } }).outcome).toMatchObject({ attached: false })
    expect(await dial(fleet, { token }, { facts: { ok: true } }).outcome).toMatchObject({ attached: true })
  })

  it('SE7 needs a proof, unless the application says in so many words that it needs none', async () => {
    const problems = (way: DialInOptions): unknown => {
      try {
        dialIn({ handlers: ['work'], ...way })
      } catch (error) {
        return FleetError.is(error, 'invalid_option') ? error.details['problems'] : error
      }
      return undefined
    }
    expect(problems({})).toEqual([expect.stringContaining('unverified: true')])
    expect(problems({ token: '' })).toEqual([expect.stringContaining('token: it is empty')])
    expect(problems({ token: { key: ' ' } })).toEqual([expect.stringContaining('{ key } of a secret')])
    expect(problems({ token, unverified: true })).toEqual([expect.stringContaining('unverified')])
    expect(problems({ token, handlers: [] })).toEqual([expect.stringContaining('it serves nothing')])
    expect(problems({ unverified: true })).toBeUndefined()
    const fleet = await opened({ unverified: true })
    expect(await dial(fleet, {}).outcome).toMatchObject({ attached: true })
  })

  it('SE1 satisfies require_identity_verification by its proof; one without stays at sandbox, which it cannot enforce', async () => {
    const spec = { name: 'r', tasks: [task], security_policy: { require_identity_verification: true } }
    const proven = await opened({ token })
    const worker = dial(proven, { token })
    await worker.hear('welcome')
    await proven.start(spec)
    expect(await worker.hear('assign')).toMatchObject({ task_id: 'a', trust_level: 'local' })

    const unproven = await opened({ unverified: true })
    await dial(unproven, {}).hear('welcome')
    const run = await unproven.start(spec)
    expect(JSON.stringify(await run.explain('a'))).toContain('cannot enforce the trust level sandbox')
  })

  it('SE7 may be one that a run names, by the id and the token that stand in its file', async () => {
    const vault = { source: 'vault', resolve: (key: string) => (key === 'W7_TOKEN' ? 'the token of w7' : undefined) }
    const fleet = await opened(undefined, { secrets: vault })
    const auth = (key: string, source?: string) => ({ method: 'token' as const, token_ref: { key, ...(source && { source }) } })
    const spec = {
      ...{ id: 'w7', name: 'W7', host: { kind: 'local' as const }, trust_level: 'remote_verified' as const },
      labels: { handlers: 'work, test' },
      auth: auth('W7_TOKEN'),
    }
    const elsewhere = { ...{ name: 'r', target: 'another_computer' as const }, tasks: [task], worker_specs: [spec] }
    const run = await fleet.start({ ...elsewhere, security_policy: { require_identity_verification: true } })
    expect(fleet.workers()).toMatchObject([{ id: 'w7', kind: 'dial-in', status: 'unknown' }])
    expect(await dial(fleet, { worker_id: 'w7', token: 'W7_TOKEN' }).outcome).toMatchObject({ attached: false })
    const worker = dial(fleet, { worker_id: 'w7', token: 'the token of w7', handlers: ['work', 'test'] })
    const { run_id, task_id, attempt, trust_level } = await worker.hear('assign')
    expect(trust_level).toBe('remote_verified')
    worker.say({ type: 'accepted', run_id, task_id, attempt, seq: 1 })
    worker.say({ type: 'result', run_id, task_id, attempt, seq: 2, output: 'done' })
    expect((await run.result()).receipts['a']).toMatchObject({ worker_id: 'w7', output: 'done' })

    const refused = fleet.create({ ...elsewhere, worker_specs: [{ ...spec, id: 'w8', auth: auth('X', 'nowhere') }] })
    await expect(refused).rejects.toMatchObject({
      code: 'unenforceable',
      message: expect.stringContaining('worker_specs[0].auth.token_ref') as string,
    })
    const certificate = { method: 'mtls' as const, cert_path: 'w8.pem', key_ref: { key: 'K' } }
    await expect(fleet.create({ ...elsewhere, worker_specs: [{ ...spec, id: 'w8', auth: certificate }] })).rejects.toMatchObject({
      message: expect.stringContaining('worker_specs[0].auth: nobody checks this proof') as string,
    })
  })

  it('HO2 that nobody registered is refused, unless `admit` takes it, and then it must prove who it is too', async () => {
    const fleet = await opened(undefined)
    expect(await dial(fleet, { token }).outcome).toMatchObject({ refusal: { code: 'unknown_worker' } })
    const admit = (hello: HelloFrame) =>
      hello.worker_id === 'w9' ? { handlers: ['work'], capabilities: ['gpu'], slots: 2, token } : undefined
    expect(await dial(fleet, { token }, { admit }).outcome).toMatchObject({ refusal: { code: 'unknown_worker' } })
    expect(await dial(fleet, { worker_id: 'w9', token: 'wrong' }, { admit }).outcome).toMatchObject({ attached: false })
    expect(fleet.workers()).toEqual([])
    const worker = dial(fleet, { worker_id: 'w9', token }, { admit })
    expect(await worker.outcome).toMatchObject({ attached: true, workerId: 'w9' })
    expect(await worker.hear('welcome')).toMatchObject({ slots: 2 })
    expect(fleet.workers()).toMatchObject([{ id: 'w9', kind: 'dial-in', capabilities: ['gpu'] }])
    // It is registered now: its token holds without `admit`.
    expect(await dial(fleet, { worker_id: 'w9', token: 'wrong' }).outcome).toMatchObject({ attached: false })
    expect(await dial(fleet, { worker_id: 'w9', token }).outcome).toMatchObject({ attached: true })
  })

  it('HO2 is refused when the application’s `admit` fails, and is told nothing of why', async () => {
    const fleet = await opened(undefined)
    const failing = {
      throws() {
        throw new Error('password hunter2')
      },
      'forgets the proof': () => ({ handlers: ['work'] }),
    }
    for (const [what, admit] of Object.entries(failing)) {
      const worker = dial(fleet, { token }, { admit })
      const outcome = await worker.outcome
      expect(outcome, what).toMatchObject({
        attached: false,
        refusal: { code: 'unauthenticated', cause: expect.any(Error) as Error },
      })
      await worker.hear('refused')
      expect(JSON.stringify(worker.heard)).not.toMatch(/hunter2|unverified/)
    }
  })

  it('SC3 is refused when it says that it serves less than it is registered for', async () => {
    const transport = dialIn({ handlers: ['work', 'test'], plain: true, token })
    const fleet = await opened(undefined, { workers: [{ id: 'w1', transport, capabilities: ['gpu', 'linux'] }] })
    const lacks = dial(fleet, { token, handlers: ['work'], capabilities: ['linux'] })
    expect(await lacks.outcome).toMatchObject({ refusal: { code: 'unsuited_worker' } })
    const { reason } = await lacks.hear('refused')
    for (const lacking of ['the handler test', 'tasks without a handler', 'the capability gpu']) expect(reason).toContain(lacking)
    const whole = { token, handlers: ['test', 'work', 'more'], plain: true, capabilities: ['linux', 'gpu'] }
    expect(await dial(fleet, whole).outcome).toMatchObject({ attached: true })
    expect(await dial(fleet, { token }).outcome).toMatchObject({ attached: true })
  })

  it('SE7 has to say who it is, and which start of it this is', async () => {
    const fleet = await opened({ token })
    for (const hello of [{ worker_id: undefined }, { incarnation: undefined }]) {
      expect(await dial(fleet, { token, ...hello }).outcome).toMatchObject({ refusal: { code: 'invalid_message' } })
    }
  })

  it('HO8 that says nothing has ten seconds; nothing of it is left then', async () => {
    const clock = createVirtualClock()
    const fleet = await opened({ token }, { clock })
    const worker = dial(fleet)
    let outcome: unknown
    void worker.outcome.then((settled) => (outcome = settled))
    const before = clock.pending
    await clock.advance(9_999)
    expect(outcome).toBeUndefined()
    await clock.advance(2)
    expect(outcome).toMatchObject({ attached: false, refusal: { code: 'invalid_message' } })
    await until(() => worker.ended !== undefined)
    expect(clock.pending).toBeLessThan(before)
  })

  it('CO8 is refused by a fleet that is closed', async () => {
    const fleet = await opened({ token })
    const early = dial(fleet)
    await fleet.close()
    expect(await early.outcome).toMatchObject({ refusal: { code: 'fleet_closed' } })
    expect(await dial(fleet, { token }).outcome).toMatchObject({ refusal: { code: 'fleet_closed' } })
  })

  it('SE5 does not bring its token into a log by saying it', async () => {
    const fleet = await opened({ token })
    const worker = dial(fleet, { token })
    await worker.hear('welcome')
    const run = await fleet.start({ name: 'r', tasks: [task] })
    const { run_id, task_id, attempt } = await worker.hear('assign')
    const key = { run_id, task_id, attempt }
    worker.say({ type: 'accepted', ...key, seq: 1 })
    worker.say({ type: 'log', ...key, seq: 2, text: `my token is "${token}"\n` })
    worker.say({ type: 'result', ...key, seq: 3, output: { token } })
    const { receipts } = await run.result()
    const log = await run.log('a')
    const text = new TextDecoder().decode(log?.bytes)
    expect(text).toContain('my token is')
    expect(JSON.stringify([receipts, text])).not.toContain(token)
  })
})

describe('a second connection of a worker', () => {
  it('HO7 takes the place of the first, with what is remembered of its attempts', async () => {
    const fleet = await opened({ token })
    const first = dial(fleet, { token })
    await first.hear('welcome')
    const run = await fleet.start({ name: 'r', tasks: [task] })
    const { run_id, task_id, attempt } = await first.hear('assign')
    const key = { run_id, task_id, attempt }
    first.say({ type: 'ack', ...key, seq: 1 })
    first.say({ type: 'accepted', ...key, seq: 1 })
    first.say({ type: 'progress', ...key, seq: 2, event: { state: 'running_tool', tool: 'one' } })
    await until(() => first.heard.some((frame) => frame.type === 'ack' && frame.seq === 2))
    // The line is half open: nobody is told.
    first.pair.mute('up')
    first.pair.mute('down')

    const second = dial(fleet, { token, attempts: [{ ...key, acked: 1, heard: 1 }] })
    await second.hear('welcome')
    second.say({ type: 'progress', ...key, seq: 2, event: { state: 'running_tool', tool: 'one' } })
    second.say({ type: 'result', ...key, seq: 3, output: 'done' })
    const { receipts } = await run.result()
    expect(receipts['a']).toMatchObject({ attempt: 1, output: 'done' })
    expect(receipts['a']?.spent).toMatchObject({ tool_calls: 1 })
    expect(second.heard.some(({ type }) => type === 'assign')).toBe(false)
  })

  it('WO1 of a new incarnation releases the leases of the old one, which is told that it is no longer it', async () => {
    const fleet = await opened({ token })
    const old = dial(fleet, { token })
    await old.hear('welcome')
    const run = await fleet.start({ name: 'r', tasks: [task] })
    const { run_id, task_id } = await old.hear('assign')
    old.say({ type: 'accepted', run_id, task_id, attempt: 1, seq: 1 })
    await until(async () => (await run.task('a')).status === 'running')

    const fresh = dial(fleet, { token, incarnation: 'i2' })
    expect(await old.hear('refused')).toMatchObject({ code: 'superseded' })
    const again = await fresh.hear('assign')
    expect(again).toMatchObject({ attempt: 2 })
    fresh.say({ type: 'accepted', run_id, task_id, attempt: 2, seq: 1 })
    fresh.say({ type: 'result', run_id, task_id, attempt: 2, seq: 2, output: 'again' })
    const { receipts } = await run.result()
    expect(receipts['a']).toMatchObject({ attempt: 2, output: 'again' })
  })

  it('LE2 that speaks of another worker’s attempt moves nothing, and is told to stop it', async () => {
    const workers = ['w1', 'w2'].map((id) => ({ id, transport: dialIn({ handlers: [id], token: `token of ${id}` }) }))
    const fleet = await opened(undefined, { workers })
    const one = dial(fleet, { token: 'token of w1' })
    const two = dial(fleet, { worker_id: 'w2', token: 'token of w2' })
    await Promise.all([one.hear('welcome'), two.hear('welcome')])
    const run = await fleet.start({ name: 'r', tasks: [{ ...task, handler: 'w1' }] })
    const { run_id, task_id, attempt } = await one.hear('assign')
    one.say({ type: 'accepted', run_id, task_id, attempt, seq: 1 })
    two.say({ type: 'progress', run_id, task_id, attempt, seq: 1, event: { state: 'model_wait' } })
    expect(await two.hear('stop')).toMatchObject({ code: 'lease_lost', task_id })
    two.say({ type: 'result', run_id, task_id, attempt, seq: 2, output: 'stolen' })
    await until(() => fleet.lateMessages >= 2)
    one.say({ type: 'result', run_id, task_id, attempt, seq: 2, output: 'mine' })
    expect((await run.result()).receipts['a']).toMatchObject({ worker_id: 'w1', output: 'mine' })
  })
})
