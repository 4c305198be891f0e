import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, onTestFinished, test } from 'vitest'
import { tryContainer } from '../../src/transports/containers/container-trial.ts'
import { containerBench } from '../fixtures/container-bench.ts'
import { testContainers, type TestContainers } from '../fixtures/podman.ts'
import { until } from '../fixtures/processes.ts'
import { scratch } from '../fixtures/scratch.ts'

const found = testContainers()
const lacking = 'missing' in found ? `no containers here: ${found.missing}` : undefined
const containers = found as TestContainers

async function bench(options: Parameters<typeof containerBench>[1] = {}) {
  const made = await containerBench(containers, options)
  onTestFinished(() => made.close())
  return made
}

describe.skipIf(lacking !== undefined)(lacking ?? 'what containers leave', () => {
  test('LE6 HO5 what a killed fleet left is found by its label and ended, and what is another store’s is not', async () => {
    const [mine, other] = [`mine-${process.pid}`, `other-${process.pid}`]
    await Promise.all([mine, other].map(killedWhileWorking))
    const folders = async () => (await readdir('/dev/shm')).filter((name) => name.includes(mine) || name.includes(other))
    const named = () => [containers.containersOf(mine).length, containers.containersOf(other).length]
    expect(named()).toEqual([1, 1])
    expect(await folders()).toHaveLength(2)

    const { transport } = await bench()
    await transport.reap!({ storeId: mine, recorded: [] })
    expect(named()).toEqual([0, 1])
    expect(await folders()).toEqual([expect.stringContaining(other) as string])
    await transport.reap!({ storeId: other, recorded: [] })
    expect(named()).toEqual([0, 0])
    expect(await folders()).toEqual([])
  })

  test('WO3 thirty attempts leave no container, no process, no descriptor and no folder', async () => {
    const { run, storeId } = await bench()
    await run('true', { id: 'first' })
    const before = await holdings()
    const kinds = ['true', 'exit 3', 'sleep 0.3', '(setsid sleep 4399 &)', 'kill -9 $$', 'no-such-program']
    for (let round = 0; round < 5; round += 1) {
      await Promise.all(
        kinds.map((script, index) =>
          run(script, { id: `t${round}-${index}`, ...(index % 2 === 0 && { confined: { network: false, writable_paths: [] } }) }),
        ),
      )
    }
    await until(async () => (await holdings()) <= before, `no more than ${before} descriptors and children`)
    expect(containers.containersOf(storeId)).toEqual([])
    expect((await readdir('/dev/shm')).filter((name) => name.includes(storeId))).toEqual([])
  })

  test('WO2 HO5 a runtime that hangs at the start is given up, and the attempt fails as one of its way', async () => {
    const { conversation, assignment } = await bench({
      probe: await fakeRuntime('case "$1" in run) exec sleep 4398;; inspect) echo "no such container" >&2; exit 1;; esac'),
      startLimitMs: 400,
    })
    conversation.channel.send(assignment(['true']))
    expect(await conversation.last()).toMatchObject({
      ...{ type: 'failed', failure_kind: 'transport', recoverable: true },
      reason: expect.stringContaining('did not start it within 0.4 s') as string,
    })
  })

  test('WO3 a container that cannot be removed is never said to be gone', async () => {
    const { conversation, assignment } = await bench({
      probe: await fakeRuntime('case "$1" in run) echo ran;; rm) echo "daemon is out" >&2; exit 1;; esac'),
    })
    conversation.channel.send(assignment(['true']))
    await until(() => conversation.log().includes('ran'))
    await conversation.channel.close({ reason: 'test over', graceMs: 0 })
    expect(conversation.heard.map(({ type }) => type)).toEqual(['hello', 'accepted', 'log'])
  })
})

describe('a trial of a runtime', () => {
  test.skipIf(lacking !== undefined)('SE2 starts a container for real, runs nothing of its image, and leaves nothing', () => {
    const probe = containers.probe()
    expect('host' in probe && tryContainer(probe.host)).toBe('started')
    expect(containers.podman('ps', '--all', '--format', '{{.Names}}')).not.toContain('flotilla-trial')
  })

  test('SE2 says why none starts, and whether there is an image to try it with', async () => {
    const tried = async (script: string) => tryContainer((await fakeRuntime(script))().host)
    const fails =
      'case "$1" in images) echo sha256:1;; run) echo "warning" >&2; echo "Error: crun: no control groups" >&2; exit 126;; esac'
    expect(await tried(fails)).toEqual({ failed: 'a container does not start: Error: crun: no control groups' })
    expect(await tried('exit 0')).toBe('untried')
  })
})

/** A client that does what a script says. */
async function fakeRuntime(script: string) {
  const folder = await scratch({ client: `#!/bin/sh\n${script}\n` })
  onTestFinished(() => folder.remove())
  const program = join(folder.path, 'client')
  await chmod(program, 0o755)
  const environment = { PATH: process.env['PATH'] ?? '' }
  return () => ({ host: { runtime: 'docker' as const, program, isRootless: false, environment } })
}

/** A process that runs a command in a container for a store, and is killed in the middle of it. */
async function killedWhileWorking(storeId: string): Promise<void> {
  const folder = await scratch()
  onTestFinished(() => folder.remove())
  await writeFile(join(folder.path, 'work.txt'), 'done')
  await chmod(folder.path, 0o755)
  const program = fileURLToPath(new URL('../fixtures/run-in-container.ts', import.meta.url))
  const script = 'echo ready; exec sleep 4397'
  const child: ChildProcess = spawn(
    process.execPath,
    ['--import', 'tsx', '-C', 'flotilla-source', program, folder.path, script, storeId],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  )
  onTestFinished(() => void child.kill('SIGKILL'))
  await once(child.stdout!, 'data')
  child.kill('SIGKILL')
  await once(child, 'exit')
}

/** Descriptors and children of this process. */
async function holdings(): Promise<number> {
  const [descriptors, tasks] = await Promise.all([readdir('/proc/self/fd'), readdir('/proc/self/task')])
  const children = await Promise.all(
    tasks.map(async (task) => {
      return (await readFile(`/proc/self/task/${task}/children`, 'utf8').catch(() => '')).split(' ').filter((pid) => pid !== '')
        .length
    }),
  )
  return descriptors.length + children.reduce((sum, count) => sum + count, 0)
}
