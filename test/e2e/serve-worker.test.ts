import { execFile } from 'node:child_process'
import { readdirSync, statSync } from 'node:fs'
import { readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { Worker } from 'node:worker_threads'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { FleetSide } from '../fixtures/fleet-side.ts'
import { until } from '../fixtures/processes.ts'
import { scratch } from '../fixtures/scratch.ts'
import { spawnWorker } from '../support/spawned-worker.ts'
import { userFolder, type UserFolder } from '../support/bundled-package.ts'

const key = { run_id: 'run', task_id: 'task', attempt: 1 }
const program = `
import { FleetError, serveWorker } from 'flotilla/worker'
await serveWorker({
  handlers: {
    async talk(attempt) {
      console.log('{"type":"result","not":"protocol"}')
      process.stdout.write('written\\n')
      await attempt.log('working')
      return attempt.input
    },
    wait: (attempt) => new Promise((resolve, reject) => {
      const timer = setInterval(() => {}, 1_000)
      attempt.signal.addEventListener('abort', () => { clearInterval(timer); reject(attempt.signal.reason) })
    }),
    deaf: (attempt) => new Promise(() => { void attempt.folder; setInterval(() => {}, 1_000) }),
    leavesTimer: () => void setInterval(() => {}, 1_000),
    own: (attempt) => attempt.root,
    async isOneClass() {
      const whole = await import('flotilla')
      return whole.FleetError === FleetError
    },
    async forbids() {
      const { NonRetryableError } = await import('flotilla')
      throw new (class Forbidden extends NonRetryableError { name = 'Forbidden' })('never')
    },
  },
})
console.error('served')
`

let user: UserFolder
let path: string
beforeAll(async () => {
  user = await userFolder()
  path = join(user.path, 'worker.mjs')
  await writeFile(path, program)
}, 60_000)
afterAll(() => user[Symbol.asyncDispose]())

const hasResult = (said: readonly unknown[]) => said.some((one) => (one as { readonly type: string }).type === 'result')
const start = (options: Parameters<typeof spawnWorker>[1] = {}) => spawnWorker([process.execPath, path], options)

describe('beside the whole package in one program', () => {
  it('RE3 an error that says so is final, whichever entry its class is from, and errors of the package are of one class', async () => {
    using worker = await start()
    const other = { ...key, task_id: 'other' }
    worker.fleet.assign(key, { handler: 'forbids' })
    worker.fleet.assign(other, { handler: 'isOneClass' })
    await until(() => hasResult(worker.fleet.said(other)) && worker.fleet.said(key).length > 1, 'both ends')
    expect(worker.fleet.said(other)).toEqual([{ type: 'accepted' }, { type: 'result', output: true }])
    expect(worker.fleet.said(key)[1]).toMatchObject({ type: 'failed', reason: 'Forbidden: never', recoverable: false })
  })
})

describe('over standard input and output', () => {
  it('HO4 nothing but the protocol reaches standard output: what the work prints is its log, in its place', async () => {
    using worker = await start()
    worker.fleet.assign(key, { handler: 'talk', input: { n: 1 } })
    await until(() => hasResult(worker.fleet.said(key)), 'the result')
    expect(worker.fleet.said(key)).toEqual([
      { type: 'accepted' },
      { type: 'log', text: '{"type":"result","not":"protocol"}\n' },
      { type: 'log', text: 'written\n' },
      { type: 'log', text: 'working\n' },
      { type: 'result', output: { n: 1 } },
    ])
    expect(worker.lines.map((line) => (JSON.parse(line) as { type: string }).type)).toEqual([
      ...['hello', 'accepted', 'log', 'log', 'log', 'result'],
    ])
  })

  it('HO4 what is printed while several attempts run, or none, goes to standard error', async () => {
    using worker = await start()
    worker.fleet.assign({ ...key, attempt: 2 }, { handler: 'wait' })
    worker.fleet.assign(key, { handler: 'talk', input: { n: 1 } })
    await until(() => hasResult(worker.fleet.said(key)), 'the result')
    expect(worker.fleet.said(key)).toMatchObject([{ type: 'accepted' }, { type: 'log' }, { type: 'result' }])
    await until(() => worker.log().includes('written'), 'what the work printed')
    expect(worker.log()).toContain('"not":"protocol"')
  })

  it('HO5 it ends on end of standard input: work is aborted, and the process exits by itself', async () => {
    using worker = await start()
    worker.fleet.assign(key, { handler: 'wait' })
    await until(() => worker.fleet.said(key).length === 1, 'the attempt')
    worker.child.stdin?.end()
    const { code, afterMs } = await worker.exit()
    expect(code).toBe(0)
    expect(afterMs).toBeLessThan(3_000)
    expect(worker.log()).toContain('served')
  })

  it('HO5 a timer that a handler left does not keep the process alive', async () => {
    using worker = await start()
    worker.fleet.assign(key, { handler: 'leavesTimer' })
    await until(() => worker.fleet.said(key).length === 2, 'the result')
    worker.child.stdin?.end()
    const { code, afterMs } = await worker.exit()
    expect(code).toBe(0)
    expect(afterMs).toBeGreaterThan(4_000)
    expect(afterMs).toBeLessThan(9_000)
    expect(worker.log()).toContain('served')
  })

  it('HO5 work that ignores its signal ends with its process after the grace, and leaves no folder behind', async () => {
    const temporary = await scratch()
    using worker = await start({ env: { TMPDIR: temporary.path }, welcome: { shares_files: false } })
    worker.fleet.assign(key, { handler: 'deaf' })
    await until(() => worker.fleet.said(key).length === 1, 'the attempt')
    expect(readdirSync(temporary.path)).toHaveLength(1)
    worker.child.stdin?.end()
    const { code, afterMs } = await worker.exit()
    expect(code).toBe(1)
    expect(afterMs).toBeLessThan(9_000)
    expect(readdirSync(temporary.path)).toEqual([])
    await temporary.remove()
  })

  it('HO3 it ends, too, when whoever reads its standard output has gone', async () => {
    using worker = await start({ welcome: { heartbeat_ms: 20 } })
    worker.fleet.assign(key, { handler: 'wait' })
    await until(() => worker.fleet.said(key).length === 1, 'the attempt')
    worker.child.stdout?.destroy()
    expect((await worker.exit()).code).toBe(0)
  })

  it('HO1 a refused worker says why, and exits with a code that tells', async () => {
    using worker = await start()
    worker.write(JSON.stringify({ type: 'refused', code: 'unsupported_protocol', reason: 'another version' }))
    expect((await worker.exit()).code).toBe(1)
    expect(worker.log()).toContain('The fleet refused this worker: another version')
  })

  it('CO8 after a bye it says its last frames, and exits', async () => {
    using worker = await start()
    worker.fleet.assign(key, { handler: 'wait' })
    await until(() => worker.fleet.said(key).length === 1, 'the attempt')
    worker.write(JSON.stringify({ type: 'bye', reason: 'closing', grace_ms: 5_000 }))
    expect((await worker.exit()).code).toBe(0)
    expect(worker.fleet.said(key).at(-1)).toEqual({ type: 'stopped' })
  })

  it('WS1 without shared files the work has a folder of its own, which is gone with the process', async () => {
    const temporary = await scratch()
    using worker = await start({ env: { TMPDIR: temporary.path }, welcome: { shares_files: false } })
    worker.fleet.assign(key, { handler: 'own' })
    await until(() => worker.fleet.said(key).length === 2, 'the result')
    expect(JSON.stringify(worker.fleet.said(key).at(-1))).toContain(temporary.path)
    worker.child.stdin?.end()
    await worker.exit()
    expect(readdirSync(temporary.path)).toEqual([])
    await temporary.remove()
  })
})

it('HO2 the same program serves in a worker thread over its message port, and the thread ends by itself', async () => {
  const thread = new Worker(path, { stderr: true, stdout: true, execArgv: [] })
  const fleet = new FleetSide({}, { collects: true })
  thread.on('message', (line: string) => fleet.hear(line, (answer) => thread.postMessage(answer)))
  const exited = new Promise((resolve) => thread.once('exit', resolve))
  await until(() => fleet.frames.length > 0, 'the hello')
  fleet.assign(key, { handler: 'talk', input: 'in a thread' })
  await until(() => hasResult(fleet.said(key)), 'the result')
  expect(fleet.said(key).at(-1)).toEqual({ type: 'result', output: 'in a thread' })
  thread.postMessage(JSON.stringify({ type: 'bye', reason: 'closing', grace_ms: 1_000 }))
  expect(await exited).toBe(0)
})

describe('what a worker loads', () => {
  it('HO2 nothing but its own few files and modules of Node: neither the engine, nor xstate, nor zod', async () => {
    const list = join(user.path, 'loaded.txt')
    const hook = `import { appendFileSync } from 'node:fs'
      export function load(url, context, next) { appendFileSync(${JSON.stringify(list)}, url + '\\n'); return next(url, context) }`
    const register = `import { register } from 'node:module'; register(${JSON.stringify(dataUrl(hook))})`
    const loadedBy = async (name: string) => {
      await rm(list, { force: true })
      const words = ['--import', dataUrl(register), '--input-type=module', '-e', `await import('${name}')`]
      await promisify(execFile)(process.execPath, words, { cwd: user.path })
      return (await readFile(list, 'utf8')).trim().split('\n')
    }
    const dist = `file://${join(user.path, 'node_modules', 'flotilla', 'dist')}/`
    const strangers = (urls: readonly string[]) => urls.filter((url) => !url.startsWith(dist) && !url.startsWith('node:'))
    const loaded = await loadedBy('flotilla/worker')
    expect(strangers(loaded)).toEqual([])
    const bytes = loaded.filter((url) => url.startsWith(dist)).map((url) => statSync(fileURLToPath(url)).size)
    expect(bytes.reduce((sum, size) => sum + size, 0)).toBeLessThan(120_000)
    // The whole package loads what a worker does without.
    expect(strangers(await loadedBy('flotilla')).some((url) => url.includes('/node_modules/xstate/'))).toBe(true)
  })
})

function dataUrl(source: string): string {
  return `data:text/javascript,${encodeURIComponent(source)}`
}
