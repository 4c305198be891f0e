import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { z } from 'zod'
import { childProcesses, createFleet } from 'flotilla'
import { jsonSchema, readWorkerFrame } from 'flotilla/protocol'
import { until } from '../fixtures/processes.ts'
import { scratch } from '../fixtures/scratch.ts'
import { type SpawnOptions, spawnWorker } from '../support/spawned-worker.ts'

const program = fileURLToPath(new URL('../../examples/workers/python_worker.py', import.meta.url))
const key = { run_id: 'run', task_id: 'task', attempt: 1 }

/** What a JSON Schema says of a line: the schemas are all that whoever wrote the worker had. */
const checkers = { worker: checker('WorkerFrame'), fleet: checker('FleetFrame') }
function checker(name: string): z.ZodType {
  return z.fromJSONSchema(JSON.parse(JSON.stringify(jsonSchema(name))))
}

/** Starts the worker, and collects what of the conversation does not fit the schemas. */
async function start(welcome: NonNullable<SpawnOptions['welcome']>) {
  const misfits: string[] = []
  const types = new Set<string>()
  const worker = await spawnWorker(['python3', program], {
    welcome,
    seen(side, line) {
      const frame: unknown = JSON.parse(line)
      types.add(`${side} ${(frame as { type: string }).type}`)
      if (!checkers[side].safeParse(frame).success) misfits.push(`${side}: ${line}`)
      if (side === 'worker' && !readWorkerFrame(Buffer.from(line)).ok) misfits.push(`reader: ${line}`)
    },
  })
  return { worker, misfits, types }
}

it('HO1 a worker in Python, with the standard library alone, speaks the protocol as its JSON Schema says', async () => {
  const { worker, misfits, types } = await start({ shares_files: false, heartbeat_ms: 20 })
  using _ = worker
  const { fleet } = worker
  fleet.stage(key, { path: 'in/text.txt', pieces: ['one two ', 'three'] })
  fleet.assign(key, {
    handler: 'count_words',
    input: { path: 'in/text.txt' },
    scorer: { kind: 'json_path', path: 'words.json', expression: '$.words' },
  })
  await until(() => fleet.said(key).at(-1) !== undefined && isLast(fleet.said(key).at(-1)), 'the result')
  expect(fleet.said(key)).toEqual([
    { type: 'accepted' },
    { type: 'progress', event: { state: 'running_tool', tool: 'count' } },
    { type: 'log', text: 'counted 3 words\n' },
    { type: 'artifact', report: 1, kind: 'report', path: 'words.json', bytes: Buffer.from('{"words": 3}').toString('base64') },
    { type: 'chunk', transfer: 1, bytes: Buffer.from('{"words": 3}').toString('base64') },
    { type: 'evidence', path: 'words.json', found: 'file', transfer: 1 },
    { type: 'result', output: { words: 3 } },
  ])
  expect(worker.log()).toContain('this goes to standard error')

  const waiting = { ...key, task_id: 'waiting' }
  fleet.assign(waiting, { handler: 'wait' })
  await until(() => fleet.frames.filter(({ type }) => type === 'heartbeat').length > 2, 'heartbeats')
  fleet.say({ type: 'stop', ...waiting, code: 'task_cancelled', reason: 'not wanted', grace_ms: 1_000 })
  const handing = { ...key, task_id: 'handing' }
  fleet.assign(handing, { handler: 'wait' })
  fleet.say({ type: 'hand_back', ...handing, reason: 'no tokens left', grace_ms: 1_000 })
  const unknown = { ...key, task_id: 'unknown' }
  fleet.assign(unknown, { handler: 'dance' })
  worker.write(JSON.stringify({ type: 'ping' }))
  await until(() => [waiting, handing, unknown].every((one) => isLast(fleet.said(one).at(-1))), 'the others')
  await until(() => types.has('worker pong'), 'the pong')
  expect(fleet.said(waiting)).toEqual([{ type: 'accepted' }, { type: 'stopped' }])
  expect(fleet.said(handing).at(-1)).toEqual({ type: 'result', output: 'handed back' })
  expect(fleet.said(unknown).at(-1)).toMatchObject({ type: 'failed', failure_kind: 'task', recoverable: false })

  expect(misfits).toEqual([])
  expect(fleet.problems).toEqual([])
  expect([...types]).toEqual(
    expect.arrayContaining(['fleet assign', 'fleet chunk', 'fleet file', 'fleet collected', 'fleet stop']),
  )
  worker.child.stdin?.end()
  expect((await worker.exit()).code).toBe(0)
})

it('HO5 the worker in Python ends on end of standard input, with its attempts', async () => {
  const { worker } = await start({})
  using _ = worker
  worker.fleet.assign(key, { handler: 'wait' })
  await until(() => worker.fleet.said(key).length === 1, 'the attempt')
  worker.child.stdin?.end()
  const { code, afterMs } = await worker.exit()
  expect(code).toBe(0)
  expect(afterMs).toBeLessThan(3_000)
  await until(() => isLast(worker.fleet.said(key).at(-1)), 'the last frame')
})

it('HO1 the worker program of the documents speaks the protocol', async () => {
  const greeter = fileURLToPath(new URL('../../examples/workers/greeter.mjs', import.meta.url))
  const tsx = import.meta.resolve('tsx')
  using worker = await spawnWorker([process.execPath, '-C', 'flotilla-source', '--import', tsx, greeter])
  worker.fleet.assign(key, { handler: 'greet', input: { name: 'ada' } })
  await until(() => isLast(worker.fleet.said(key).at(-1)), 'the result')
  expect(worker.fleet.said(key).at(-1)).toEqual({ type: 'result', output: 'hello, ada' })
  worker.child.stdin?.end()
  expect((await worker.exit()).code).toBe(0)
})

it('HO2 a fleet starts the worker in Python, gives it a task, stops another, and verifies what it left', async () => {
  const workspace = await scratch({ 'text.txt': 'one two three' })
  const transport = childProcesses({ command: ['python3', program], handlers: ['count_words', 'wait'] })
  const fleet = await createFleet({ workspace: workspace.path, workers: [{ id: 'python', transport, slots: 2 }] })
  try {
    const work = { name: 'a', instructions: 'Work.' }
    const run = await fleet.start({
      name: 'counting',
      tasks: [
        {
          ...work,
          ...{ id: 'count', handler: 'count_words', input: { path: 'text.txt' }, expected_artifacts: ['report'] },
          scorer: { kind: 'json_path', path: 'words.json', expression: '$.words' },
        },
        { ...work, id: 'wait', handler: 'wait' },
      ],
    })
    await until(async () => (await run.task('wait')).status === 'running', 'the task that waits')
    await run.cancelTask('wait')
    await run.result()
    const receipts = await run.receipts()
    expect(receipts.find(({ task_id }) => task_id === 'count')).toMatchObject({ result: 'pass', output: { words: 3 } })
    expect(receipts.find(({ task_id }) => task_id === 'wait')).toMatchObject({ result: 'skip' })
  } finally {
    await fleet.close()
    await workspace.remove()
  }
})

it('HO1 the check of the schemas can fail', () => {
  expect(checkers.worker.safeParse({ type: 'stopped', ...key }).success).toBe(false)
  expect(checkers.worker.safeParse({ type: 'stopped', ...key, seq: 1 }).success).toBe(true)
  expect(checkers.fleet.safeParse({ type: 'file', ...key, seq: 1, path: 'a' }).success).toBe(false)
  expect(checkers.fleet.safeParse({ type: 'file', ...key, seq: 1, path: 'a', transfer: 1 }).success).toBe(true)
})

function isLast(frame: unknown): boolean {
  return ['result', 'failed', 'stopped'].includes((frame as { type?: string } | undefined)?.type ?? '')
}
