import { afterAll, beforeAll, describe, test } from 'vitest'
import { ssh } from '../../src/index.ts'
import type { SshOptions } from '../../src/index.ts'
import { transportContract } from '../../src/testing/index.ts'
import { assignment } from '../fixtures/conversation.ts'
import { scratch } from '../fixtures/scratch.ts'
import { startSshd, type TestSshd } from '../fixtures/sshd.ts'
import { workerFolder } from '../support/bundled-package.ts'

let sshd: TestSshd
let installed: Awaited<ReturnType<typeof workerFolder>>

beforeAll(async () => {
  sshd = await startSshd()
  installed = await workerFolder()
}, 60_000)
afterAll(async () => {
  await sshd.stop()
  await installed[Symbol.asyncDispose]()
})

const reached = (more: Partial<SshOptions> = {}) => {
  const { port, identity, fingerprint: hostKeyFingerprint } = sshd
  return ssh({ host: '127.0.0.1', port, identity, hostKeyFingerprint, ...more })
}

describe('commands at a host over ssh', () => {
  const commands = { completes: 'true', fails: 'exit 3', 'goes on': 'sleep 3600' }
  const cases = transportContract(async () => {
    const { path: folder, remove } = await scratch()
    return {
      transport: reached(),
      assign: (work, attempt) =>
        assignment(
          { metadata: { command: ['sh', '-c', commands[work]] } },
          { attempt, folder: `${folder}/${attempt}`, root: folder },
        ),
      dispose: remove,
    }
  })
  for (const { id, run } of cases) test(id, run, 30_000)
})

describe.each([
  ['worker programs over ssh that are kept warm', true],
  ['a worker program over ssh for each attempt', false],
])('%s', (_, reuse) => {
  const cases = transportContract(async () => {
    const { path: folder, remove } = await scratch()
    const handlers = ['completes', 'fails', 'goes on']
    return {
      transport: reached({ command: [process.execPath, installed.program('steady.mjs')], handlers, reuse }),
      assign: (handler, attempt) => assignment({ handler }, { attempt, folder: `${folder}/${attempt}`, root: folder }),
      dispose: remove,
    }
  })
  for (const { id, run } of cases) test(id, run, 30_000)
})
