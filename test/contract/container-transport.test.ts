import { chmod } from 'node:fs/promises'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, test } from 'vitest'
import { systemClock } from '../../src/host/clock.ts'
import { diskFiles } from '../../src/host/files.ts'
import type { Confinement } from '../../src/protocol/wire.ts'
import { containerCommands } from '../../src/transports/containers/container-commands.ts'
import { containerLauncher } from '../../src/transports/containers/container-worker.ts'
import { poolTransport } from '../../src/transports/programs/worker-pool.ts'
import { transportContract } from '../../src/testing/index.ts'
import type { TransportUnderTest } from '../../src/testing/index.ts'
import { assignment } from '../fixtures/conversation.ts'
import { testContainers, type TestContainers } from '../fixtures/podman.ts'
import { scratch } from '../fixtures/scratch.ts'
import { workerFolder } from '../support/bundled-package.ts'

const found = testContainers()
const lacking = 'missing' in found ? `no containers here: ${found.missing}` : undefined
const containers = found as TestContainers
const clock = systemClock()
const confined: Confinement = { network: false, writable_paths: [] }

const commands: Record<Parameters<TransportUnderTest['assign']>[0], string> = {
  completes: 'true',
  fails: 'exit 3',
  'goes on': 'sleep 3600',
}

describe.skipIf(lacking !== undefined).each([
  ['commands in containers', undefined],
  ['commands in containers at sandbox', confined],
] as const)(lacking ?? '%s', (_, confinement) => {
  const cases = transportContract(async () => {
    const { path: folder, remove } = await scratch()
    await chmod(folder, 0o755)
    const { image, readable, probe } = containers
    return {
      transport: containerCommands({ image, readable, probe, clock, network: 'host' }),
      assign: (work, attempt) =>
        assignment(
          { metadata: { command: ['sh', '-c', commands[work]] } },
          { attempt, folder: `${folder}/attempts/${attempt}`, root: folder, ...(confinement && { confined: confinement }) },
        ),
      dispose: remove,
    }
  })
  for (const { id, run } of cases) test(id, run)
})

describe.skipIf(lacking !== undefined)(lacking ?? 'worker programs in containers', () => {
  let installed: Awaited<ReturnType<typeof workerFolder>>
  beforeAll(async () => {
    installed = await workerFolder()
    await chmod(installed.path, 0o755)
  })
  afterAll(() => installed[Symbol.asyncDispose]())

  const cases = transportContract(async () => {
    const { image, probe } = containers
    const program = installed.program('steady.mjs')
    const modules = fileURLToPath(new URL('../../node_modules', import.meta.url))
    const readable = [...containers.readable, dirname(program), modules]
    const launcher = containerLauncher({ image, readable, probe, clock, args: ['node', program], network: 'host' })
    return {
      transport: poolTransport({ launcher, clock, files: diskFiles(), handlers: ['completes', 'fails', 'goes on'] }),
      assign: (handler, attempt) => assignment({ handler }, { attempt }),
      dispose: async () => undefined,
    }
  })
  for (const { id, run } of cases) test(id, run)
})
