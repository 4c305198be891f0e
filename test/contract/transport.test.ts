import { pathToFileURL } from 'node:url'
import { afterAll, beforeAll, describe, test } from 'vitest'
import { systemClock } from '../../src/host/clock.ts'
import { inProcessTransport } from '../../src/transports/in-process.ts'
import type { Confinement } from '../../src/protocol/wire.ts'
import { commandTransport } from '../../src/transports/commands/command.ts'
import { probeSandbox } from '../../src/transports/commands/sandbox-probe.ts'
import { handlerWorker } from '../../src/worker/handler-worker.ts'
import { script, transportContract, worker } from '../../src/testing/index.ts'
import type { TransportUnderTest } from '../../src/testing/index.ts'
import { createScriptedHost } from '../../src/testing/scripted-host.ts'
import { createVirtualClock } from '../../src/testing/virtual-clock.ts'
import { assignment } from '../fixtures/conversation.ts'
import { childProcesses, workerThreads } from '../../src/index.ts'
import type { Transport } from '../../src/index.ts'
import { scratch } from '../fixtures/scratch.ts'
import { workerFolder } from '../support/bundled-package.ts'

describe('in-process', () => {
  const clock = systemClock()
  const cases = transportContract(async () => {
    const handlers = [
      { name: 'completes', run: () => 1 },
      {
        name: 'fails',
        run() {
          throw new Error('broken')
        },
      },
      { name: 'goes on', run: (attempt: { delay(ms: number): Promise<void> }) => attempt.delay(3_600_000) },
    ]
    return {
      transport: inProcessTransport({ worker: handlerWorker({ clock, handlers }), clock }),
      assign: (handler, attempt) => assignment({ handler }, { attempt }),
      dispose: async () => undefined,
    }
  })
  for (const { id, run } of cases) test(id, run)
})

/** Commands, each in a sandbox or not. */
function commandCases(confined?: Confinement) {
  const commands: Record<Parameters<TransportUnderTest['assign']>[0], string> = {
    completes: 'true',
    fails: 'exit 3',
    'goes on': 'sleep 3600',
  }
  return transportContract(async () => {
    const { path: folder, remove } = await scratch()
    return {
      transport: commandTransport({ clock: systemClock(), environment: { get: (name) => process.env[name] } }),
      assign: (work, attempt) =>
        assignment(
          { metadata: { command: ['sh', '-c', commands[work]] } },
          { attempt, folder: `${folder}/${attempt}`, root: folder, ...(confined && { confined }) },
        ),
      dispose: remove,
    }
  })
}

describe('commands', () => {
  for (const { id, run } of commandCases()) test(id, run)
})

describe.skipIf('missing' in probeSandbox())('commands in a sandbox', () => {
  for (const { id, run } of commandCases({ network: false, writable_paths: [] })) test(id, run)
})

describe('scripted workers', () => {
  const cases = transportContract(async () => {
    const clock = createVirtualClock()
    const scripted = worker('w1')
      .on('completes', script().after('2s').complete())
      .on('fails', script().fail('broken'))
      .on('goes on', script().after('9h').complete())
    const host = createScriptedHost(scripted, { clock, heartbeatMs: 15_000, chooses: (play) => play })
    return {
      transport: host.transport,
      assign: (handler, attempt) => assignment({ handler }, { attempt }),
      pass: () => clock.advance('1s'),
      dispose: async () => host.die('the test is over'),
    }
  })
  for (const { id, run } of cases) test(id, run)
})

describe('worker programs', () => {
  let installed: Awaited<ReturnType<typeof workerFolder>>
  beforeAll(async () => {
    installed = await workerFolder()
  })
  afterAll(() => installed[Symbol.asyncDispose]())

  const handlers = ['completes', 'fails', 'goes on']
  const program = () => installed.program('steady.mjs')
  const launched: Readonly<Record<string, () => Transport>> = {
    'worker processes that are kept warm': () => childProcesses({ command: [process.execPath, program()], handlers }),
    'a worker process for each attempt': () => childProcesses({ command: [process.execPath, program()], handlers, reuse: false }),
    'worker threads': () => workerThreads({ file: pathToFileURL(program()), handlers }),
    'a worker thread for each attempt': () => workerThreads({ file: pathToFileURL(program()), handlers, reuse: false }),
  }
  for (const [name, transport] of Object.entries(launched)) {
    describe(name, () => {
      const cases = transportContract(async () => {
        const { path: folder, remove } = await scratch()
        return {
          transport: transport(),
          assign: (handler, attempt) => assignment({ handler }, { attempt, folder: `${folder}/${attempt}`, root: folder }),
          dispose: remove,
        }
      })
      for (const { id, run } of cases) test(id, run)
    })
  }
})
