import { chmod, chown, mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parse } from 'smol-toml'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { checkRun, container, createFleet, jsonStore } from '../../src/index.ts'
import type { FleetOptions, FleetRunSpecInput, Run } from '../../src/index.ts'
import { testContainers, type TestContainers } from '../fixtures/podman.ts'
import { scratch } from '../fixtures/scratch.ts'

const found = testContainers()
const lacking = 'missing' in found ? `no containers here: ${found.missing}` : undefined
const containers = found as TestContainers

describe.skipIf(lacking !== undefined)(lacking ?? 'a run whose workers are containers', () => {
  beforeAll(() => void Object.assign(process.env, containers.settings))
  afterAll(() => {
    for (const name of Object.keys(containers.settings)) delete process.env[name]
  })

  async function bench(options: FleetOptions = {}) {
    const folder = await scratch({ 'work.txt': 'done\n' })
    onTestFinished(() => folder.remove())
    await chmod(folder.path, 0o755)
    if (process.getuid?.() === 0) await chown(folder.path, 65_534, 65_534)
    const store = jsonStore({ folder: join(folder.path, '.flotilla') })
    const shown: FleetOptions = {
      containers: { runtime: 'podman', readable: containers.readable, pull: 'never', network: 'host' },
    }
    const fleet = await createFleet({ store, workspace: folder.path, ...shown, ...options })
    onTestFinished(() => fleet.close())
    return { fleet, root: folder.path }
  }
  const boxed = { id: 'boxed', name: 'Boxed', host: { kind: 'docker', image: containers.image } } as const
  const command = (id: string, script: string, more: object = {}) => ({
    ...{ id, name: id, instructions: 'x', metadata: { command: ['sh', '-c', script] }, retry_policy: { max_attempts: 1 } },
    ...more,
  })

  test('HO2 SE3 a docker host of a run runs its commands in containers, confined by default, and what they leave is collected', async () => {
    const { fleet } = await bench()
    const run = await fleet.start({
      name: 'r',
      worker_specs: [boxed],
      tasks: [
        command('leaves', 'ls /sys/class/net > "$FLOTILLA_ARTIFACTS/report.txt"; cat work.txt; touch made 2>&1; true', {
          scorer: { kind: 'file_exists', path: 'work.txt' },
          expected_artifacts: ['report'],
        }),
      ],
    })
    expect((await run.result()).status).toBe('completed')
    const [receipt] = await run.receipts('leaves')
    expect(receipt).toMatchObject({
      ...{ result: 'pass', worker_id: 'boxed' },
      effective_permissions: { network: false, write: false, source: 'trust level sandbox' },
    })
    const kept = (await run.artifacts('leaves')).find(({ artifact }) => artifact.kind === 'report')?.artifact
    const bytes = await run.openArtifact(kept!)
    expect(Buffer.from(bytes ?? []).toString()).toBe('lo\n')
    expect(await textOf(run, 'leaves')).toContain('Read-only file system')
  })

  test('VE3 a command scorer runs in a container of the same image, with what the attempt left', async () => {
    const { fleet } = await bench()
    const check = (script: string) => ({ scorer: { kind: 'command' as const, command: 'sh', args: ['-c', script] } })
    const run = await fleet.start({
      name: 'r',
      worker_specs: [boxed],
      tasks: [
        command(
          'good',
          'echo text > "$FLOTILLA_ARTIFACTS/report.md"',
          check('ls /sys/class/net; test -s "$FLOTILLA_ARTIFACTS/report.md"'),
        ),
        command('bad', 'true', check('exit 3')),
      ],
    })
    await run.result()
    expect(await run.receipts('good')).toMatchObject([{ result: 'pass', evidence: expect.stringContaining('\nlo') as string }])
    expect(await run.receipts('bad')).toMatchObject([{ result: 'fail', failure_kind: 'task' }])
  })

  test('WS4 at local it writes its workspace, and the store in it stays out of sight', async () => {
    const { fleet, root } = await bench()
    const run = await fleet.start({
      name: 'r',
      worker_specs: [{ ...boxed, trust_level: 'local' }],
      tasks: [command('writes', 'echo made > made.txt; cat .flotilla/* 2>&1; true')],
    })
    expect((await run.result()).status).toBe('completed')
    expect(await readFile(join(root, 'made.txt'), 'utf8')).toBe('made\n')
    expect(await textOf(run, 'writes')).toBe('cat: .flotilla/runs: Is a directory\n')
  })

  test('HO2 container() makes a worker of the application, told of the fleet that it works for', async () => {
    const transport = container({
      runtime: 'podman',
      image: containers.image,
      readable: containers.readable,
      pull: 'never',
      network: 'host',
    })
    const { fleet } = await bench({ workers: [{ id: 'own', transport, slots: 2 }] })
    const run = await fleet.start({ name: 'r', tasks: [command('hides', 'ls -A .flotilla .flotilla/runs')] })
    expect((await run.result()).status).toBe('completed')
    const [receipt] = await run.receipts('hides')
    expect(receipt).toMatchObject({ worker_id: 'own', effective_permissions: { source: 'trust level local' } })
    expect(await textOf(run, 'hides')).toBe(`.flotilla:\nruns\n\n.flotilla/runs:\n${run.id}\n`)
  })

  test('HO2 the example’s task file does what it says', async () => {
    const text = await readFile(new URL('../../examples/containers/tasks.toml', import.meta.url), 'utf8')
    const { workers, ...file } = parse(text.replace(/image = "[^"]+"/, `image = "${containers.image}"`))
    const { fleet, root } = await bench()
    await mkdir(join(root, 'examples'))
    await writeFile(join(root, 'examples', 'one.ts'), '')
    const run = await fleet.start({ ...file, worker_specs: workers } as unknown as FleetRunSpecInput)
    expect((await run.result()).status).toBe('completed')
    const report = (await run.artifacts('count')).find(({ artifact }) => artifact.kind === 'report')
    expect(Buffer.from((await run.openArtifact(report!.artifact)) ?? []).toString()).toBe('1\n')
  })

  test('SE2 where no runtime answers, a run that names a container is refused with the reason; where one does, it is taken', async () => {
    const spec: FleetRunSpecInput = { name: 'r', worker_specs: [boxed], tasks: [command('a', 'true')] }
    const nowhere = { runtime: 'podman', program: '/nonexistent/podman' } as const
    const { fleet } = await bench({ containers: nowhere })
    const refusal = {
      code: 'unenforceable',
      message: expect.stringContaining('worker_specs[0].host: no containers can be run here: /nonexistent/podman') as string,
    }
    await expect(fleet.create(spec)).rejects.toMatchObject(refusal)
    expect(await fleet.runs()).toEqual([])
    expect(() => checkRun(spec, { containers: nowhere })).toThrow(expect.objectContaining(refusal))
    expect(checkRun(spec, { containers: { runtime: 'podman' } }).worker_specs).toHaveLength(1)
  })

  test('WO2 a fleet opens although the runtime of its workers does not answer, and says of them why they are not there', async () => {
    const nowhere = { runtime: 'podman', program: '/nonexistent/podman', image: containers.image } as const
    const { fleet } = await bench({
      workers: [
        { id: 'commands', transport: container(nowhere) },
        { id: 'programs', transport: container({ ...nowhere, args: [], plain: true }) },
      ],
    })
    expect(fleet.workers().map(({ id, status }) => [id, status])).toEqual([
      ['commands', 'offline'],
      ['programs', 'offline'],
    ])
    const run = await fleet.start({ name: 'r', tasks: [command('a', 'true')] })
    expect(JSON.stringify(await run.explain('a'))).toContain('commands')
  })

  test('HO2 what container() is told wrong is refused at once, all of it', () => {
    const wrong = {
      image: '-v/:/host',
      args: ['a\0'],
      runtime: 'lxc',
      network: 'container:x',
      user: 'root',
      readable: ['a'],
      bounds: { cpus: -1, size: 1 },
    }
    const paths = ['image', 'args', 'runtime', 'network', 'user', 'readable[0]', 'bounds.cpus', 'bounds.size']
    for (const path of paths)
      expect(() => container(wrong as unknown as Parameters<typeof container>[0])).toThrow(
        expect.objectContaining({ code: 'invalid_option', message: expect.stringContaining(`${path}: `) as string }),
      )
    expect(() => container({ image: 'a', plain: true })).toThrow('plain: only for worker programs')
    expect(container({ image: 'a' }).kind).toBe('docker')
  })

  test('LE6 HO5 a fleet that opens a store removes what an earlier one left in containers, before it leases', async () => {
    const { fleet, root } = await bench()
    const transport = container({ runtime: 'podman', image: containers.image, readable: containers.readable, network: 'host' })
    await fleet.close()
    const store = jsonStore({ folder: join(root, '.flotilla') })
    const opening = await store.open({ instance: 'looks' })
    await store.close()
    const leave = (label: string, name: string) =>
      containers.podman(
        ...['run', '--detach', '--init', '--network=none', '--name', name, '--label', `flotilla.store=${label}`],
        ...['--ulimit=nofile=1024:1024', '--ulimit=nproc=1024:1024', '--volume=/usr:/usr:ro', containers.image, 'sleep', '600'],
      )
    const [left, others] = [`flotilla-left-${process.pid}`, `flotilla-others-${process.pid}`]
    leave(opening.storeId, left)
    leave(`not-${opening.storeId}`, others)
    onTestFinished(() => void containers.podman('rm', '--force', '--time=0', others))
    const next = await createFleet({
      store: jsonStore({ folder: join(root, '.flotilla') }),
      workspace: root,
      workers: [{ id: 'own', transport }],
    })
    onTestFinished(() => next.close())
    expect(containers.containersOf(opening.storeId)).toEqual([])
    expect(containers.containersOf(`not-${opening.storeId}`)).toEqual([others])
  })
})

async function textOf(run: Run, task: string): Promise<string> {
  return Buffer.from((await run.log(task))?.bytes ?? []).toString()
}
