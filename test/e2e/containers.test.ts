import { mkdir, readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { systemClock } from '../../src/host/clock.ts'
import type { Confinement } from '../../src/protocol/wire.ts'
import { createRedactor } from '../../src/security/redactor.ts'
import { containerCommands } from '../../src/transports/container-commands.ts'
import type { ContainerOptions } from '../../src/transports/container-options.ts'
import { assignment, converse, type Conversation } from '../fixtures/conversation.ts'
import { testContainers } from '../fixtures/podman.ts'
import { until } from '../fixtures/processes.ts'
import { scratch } from '../fixtures/scratch.ts'

const containers = testContainers()
const lacking = 'missing' in containers ? `no containers here: ${containers.missing}` : undefined
const confined: Confinement = { network: false, writable_paths: [] }

describe.skipIf(lacking !== undefined)(lacking ?? 'a command in a container', () => {
  if ('missing' in containers) return
  const ends: (() => Promise<void>)[] = []
  afterEach(async () => {
    for (const end of ends.splice(0).toReversed()) await end()
  })

  async function bench(options: Partial<ContainerOptions> = {}) {
    const folder = await scratch({ 'work.txt': 'done\n' })
    ends.push(() => folder.remove())
    const { image, readable, environment, probe } = containers as Exclude<typeof containers, { missing: string }>
    const transport = containerCommands({
      ...{ image, readable, environment, probe, clock: systemClock(), drainLimitMs: 300, termToKillMs: 1_000 },
      ...options,
    })
    const storeId = `containers-${process.pid}-${ends.length}`
    const conversation: Conversation = await converse(transport, { storeId })
    ends.push(() => conversation.channel.close({ reason: 'test over', graceMs: 0 }))
    const command = (argv: readonly string[], rest: Parameters<typeof assignment>[1] & { readonly id?: string } = {}) => {
      const { id = 't1', ...message } = rest
      return assignment(
        { id, metadata: { command: argv } },
        { root: folder.path, folder: join(folder.path, 'attempts', id), ...message },
      )
    }
    const run = async (script: string, rest: Parameters<typeof command>[1] = {}) => {
      conversation.channel.send(command(['sh', '-c', script], rest))
      const end = await conversation.last(rest.id)
      return { end, text: conversation.log() }
    }
    return { transport, storeId, conversation, command, run, root: folder.path }
  }

  test('HO2 runs in the workspace root of its task, and its exit code, last line and output come back', async () => {
    const { run, root, storeId, conversation } = await bench()
    const { end, text } = await run('cat work.txt; pwd; echo \'{"n":1}\' > "$FLOTILLA_FOLDER/output.json"; echo bye')
    console.log(JSON.stringify(conversation.heard, null, 1))
    expect(end).toMatchObject({ type: 'result', exit_code: 0, summary: 'bye', output: { n: 1 } })
    expect(text).toBe(`done\n${root}\nbye\n`)
    expect(containers.containersOf(storeId)).toEqual([])
  })

  test('RE7 another exit code is a failure of the task', async () => {
    const { run } = await bench()
    expect((await run('echo oops >&2; exit 7')).end).toMatchObject({ type: 'failed', failure_kind: 'task', exit_code: 7 })
  })
})
void confined
void [mkdir, readdir, readFile, createRedactor, until]
