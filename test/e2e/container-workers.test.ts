import { once } from 'node:events'
import { chmod, readdir } from 'node:fs/promises'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { container, createFleet } from '../../src/index.ts'
import type { Fleet, FleetReceipt, Transport } from '../../src/index.ts'
import { testContainers, type TestContainers } from '../fixtures/podman.ts'
import { until } from '../fixtures/processes.ts'
import { scratch } from '../fixtures/scratch.ts'
import { workerFolder } from '../support/bundled-package.ts'
import { carrying, holdings, untilNoMoreThan } from '../support/leavings.ts'

const found = testContainers()
const lacking = 'missing' in found ? `no containers here: ${found.missing}` : undefined
const containers = found as TestContainers
/** What the package depends on, where a program beside it looks for that. */
const modules = fileURLToPath(new URL('../../node_modules', import.meta.url))

describe.skipIf(lacking !== undefined)(lacking ?? 'worker programs in containers', () => {
  let installed: Awaited<ReturnType<typeof workerFolder>>
  beforeAll(async () => {
    installed = await workerFolder()
    await chmod(installed.path, 0o755)
    Object.assign(process.env, containers.settings)
  })
  afterAll(async () => {
    for (const name of Object.keys(containers.settings)) delete process.env[name]
    await installed[Symbol.asyncDispose]()
  })

  function transport(way: string, more: Partial<Parameters<typeof container>[0]> = {}): Transport {
    const program = installed.program('evil.mjs')
    return container({
      ...{
        runtime: 'podman',
        image: containers.image,
        readable: [...containers.readable, dirname(program), modules],
        ...{ pull: 'never', network: 'host' },
      },
      ...{ args: ['node', program, way], plain: true, startTimeoutMs: 4_000, ...more },
    })
  }

  /** A fleet with a worker that misbehaves, and one that does not; looks at what is left when it is closed. */
  async function misbehave(way: string, task: Record<string, unknown> = {}, settled?: (fleet: Fleet) => boolean) {
    const before = holdings()
    const fleet = await createFleet({
      handlers: { good: () => 'done' },
      workers: [{ id: 'evil', transport: transport(way) }],
      limits: { leaseTtlMs: 3_000, stopGraceMs: 200, closeGraceMs: 0, workerBackoffMs: { first: 100, most: 200 } },
    })
    onTestFinished(() => fleet.close())
    const run = await fleet.start({
      name: 'r',
      tasks: [
        { id: 'good', name: 'good', instructions: 'x', handler: 'good' },
        { id: 'bad', name: 'bad', instructions: 'x', retry_policy: { max_attempts: 1 }, scorer: { kind: 'exit_code' }, ...task },
      ],
    })
    let view = await run.task('bad')
    await until(async () => {
      view = await run.task('bad')
      return ['completed', 'failed', 'cancelled'].includes(view.status) || settled?.(fleet) === true
    }, 'the task to end')
    const receipts: readonly FleetReceipt[] = await run.receipts('bad')
    const other = (await run.task('good')).status
    await fleet.close()
    expect(carrying('FLOTILLA_WORKER=evil')).toEqual([])
    expect(containers.podman('ps', '--all', '--quiet', '--filter', 'label=flotilla.worker=evil')).toBe('')
    await untilNoMoreThan(before)
    return { status: view.status, receipts, other }
  }
  const isOffline = (fleet: Fleet) => fleet.workers().find(({ id }) => id === 'evil')?.status === 'offline'

  test.each([
    'never says hello',
    'dies at its start',
    'speaks another version',
    'says that it is another worker',
    'says first a line of 2 MiB',
  ])('HO1 WO2 a program in a container that %s never gets an attempt, and the fleet goes on', async (way) => {
    const { status, receipts, other } = await misbehave(way, {}, isOffline)
    expect({ status, receipts, other }).toEqual({ status: 'enqueued', receipts: [], other: 'completed' })
  })

  test.each([
    'dies in the middle',
    'writes half a line and dies',
    'says a line of 2 MiB',
    'says nested brackets',
    'closes its output',
  ])('HO8 RE7 a program in a container that %s costs its attempt, as a transport failure', async (way) => {
    const { status, receipts, other } = await misbehave(way)
    expect({ status, other }).toEqual({ status: 'failed', other: 'completed' })
    expect(receipts).toMatchObject([{ result: 'fail', failure_kind: 'transport', attempt: 1 }])
  })

  test.each(['hangs', 'hangs and ignores TERM'])(
    'LE4 HO3 a program in a container that %s loses its lease, and is killed',
    async (way) => {
      const { receipts, other } = await misbehave(way)
      expect(receipts).toMatchObject([{ result: 'fail', failure_kind: 'transport' }])
      expect(other).toBe('completed')
    },
  )

  test.each(['leaves grandchildren behind', 'floods its output', 'speaks of another attempt', 'does its work'])(
    'LE2 HO3 HO4 a program in a container that %s does its work all the same',
    async (way) => {
      const { status, receipts } = await misbehave(way)
      expect(status).toBe('completed')
      expect(receipts).toMatchObject([{ result: 'pass', attempt: 1 }])
    },
  )

  test('HO2 a docker host with args is a worker program, which serves tasks without a handler', async () => {
    const program = installed.program('evil.mjs')
    const readable = [...containers.readable, dirname(program)]
    const fleet = await createFleet({ containers: { runtime: 'podman', readable, pull: 'never' } })
    onTestFinished(() => fleet.close())
    const host = { kind: 'docker', image: containers.image, args: ['node', program, 'does its work'] } as const
    const run = await fleet.start({
      name: 'r',
      worker_specs: [{ id: 'program', name: 'Program', host }],
      tasks: [{ id: 'a', name: 'a', instructions: 'x', scorer: { kind: 'exit_code' } }],
    })
    expect((await run.result()).status).toBe('completed')
    expect(await run.receipt('a')).toMatchObject({
      ...{ result: 'pass', worker_id: 'program' },
      effective_permissions: { network: false, source: 'trust level sandbox' },
    })
  })

  describe('a worker of the package', () => {
    async function bench(trustLevel: 'sandbox' | 'local') {
      const folder = await scratch({ 'given.txt': 'given', secret: 'secret' })
      onTestFinished(() => folder.remove())
      const server = createServer((socket) => socket.destroy()).listen(0, '127.0.0.1')
      onTestFinished(() => void server.close())
      await once(server, 'listening')
      const args = ['node', installed.program('contained.mjs')]
      const contained = transport('', { args, handlers: ['tells', 'leaves'], plain: false, network: 'host' })
      const fleet = await createFleet({
        workspace: folder.path,
        workers: [{ id: 'contained', trustLevel, transport: contained }],
      })
      onTestFinished(() => fleet.close())
      return {
        fleet,
        root: folder.path,
        input: { path: join(folder.path, 'secret'), port: (server.address() as AddressInfo).port },
      }
    }
    const task = (handler: string, more: object) => ({ id: handler, name: handler, instructions: 'x', handler, ...more })

    test('SE3 HO6 at sandbox it has no network, no file of this machine, no other process and no variable but its own', async () => {
      const told = async (trustLevel: 'sandbox' | 'local') => {
        const { fleet, input } = await bench(trustLevel)
        const run = await fleet.start({ name: 'r', tasks: [task('tells', { input })] })
        await run.result()
        return (await run.receipt('tells')) as FleetReceipt
      }
      const kept = await told('sandbox')
      expect(kept).toMatchObject({
        output: { cards: ['lo'], file: 'ENOENT', reached: 'ECONNREFUSED', written: 'EROFS' },
        effective_permissions: { network: false, write: false },
      })
      const { user, environment, processes } = kept.output as { user: number; environment: string[]; processes: number }
      expect(user).not.toBe(0)
      expect(processes).toBeLessThan(4)
      expect(environment.filter((name) => name.startsWith('FLOTILLA')).toSorted()).toEqual([
        ...['FLOTILLA_INCARNATION', 'FLOTILLA_STORE', 'FLOTILLA_WORKER'],
      ])
      expect(environment).not.toContain('VITEST')
      // The positive control: at local it has the network that the worker names; still no file of this machine.
      expect((await told('local')).output).toMatchObject({ reached: 'connected', file: 'ENOENT' })
    })

    test('HO2 VE2 AR1 its input files, artifacts and evidence go over the line', async () => {
      const { fleet, root } = await bench('sandbox')
      const scorer = { kind: 'regex_match', path: 'evidence.txt', pattern: '^GIVEN$' }
      const run = await fleet.start({ name: 'r', tasks: [task('leaves', { input_files: ['given.txt'], scorer })] })
      expect((await run.result()).status).toBe('completed')
      const report = (await run.artifacts('leaves')).find(({ artifact }) => artifact.kind === 'report')
      expect(Buffer.from((await run.openArtifact(report!.artifact)) ?? []).toString()).toBe('given')
      expect(await readdir(root)).not.toContain('evidence.txt')
    })
  })
})
