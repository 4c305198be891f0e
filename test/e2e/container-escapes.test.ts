import { chmodSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { systemClock } from '../../src/host/clock.ts'
import { systemEnvironment } from '../../src/host/environment.ts'
import type { Transport } from '../../src/ports/transport.ts'
import { commandTransport } from '../../src/transports/commands/command.ts'
import { containerCommands } from '../../src/transports/containers/container-commands.ts'
import { assignment, converse } from '../fixtures/conversation.ts'
import type { Conversation } from '../fixtures/conversation.ts'
import { containerEscapes, inContainers } from '../fixtures/escapes/containers.ts'
import { programOf } from '../fixtures/escapes/escape.ts'
import type { Escape } from '../fixtures/escapes/escape.ts'
import { fileEscapes } from '../fixtures/escapes/files.ts'
import { prepareGround } from '../fixtures/escapes/ground.ts'
import type { Ground } from '../fixtures/escapes/ground.ts'
import { networkEscapes } from '../fixtures/escapes/network.ts'
import { processEscapes } from '../fixtures/escapes/processes.ts'
import { resourceEscapes, smallLimits } from '../fixtures/escapes/resources.ts'
import { systemEscapes } from '../fixtures/escapes/system.ts'
import { testContainers } from '../fixtures/podman.ts'

const containers = testContainers()
const isRoot = process.getuid?.() === 0
const families: Readonly<Record<string, readonly Escape[]>> = {
  network: inContainers(networkEscapes),
  processes: inContainers(processEscapes),
  system: inContainers(systemEscapes),
  files: inContainers(fileEscapes),
  resources: inContainers(resourceEscapes),
  containers: containerEscapes,
}

/** Errors that tell of a refusal; any other would be a mistake of the script. */
const refusal =
  /^(OSError|PermissionError|FileNotFoundError|ConnectionRefusedError|ProcessLookupError|AssertionError|StopIteration|BlockingIOError|RuntimeError|TimeoutError|ValueError|error): ?/

/** Attempts that came off outside and failed inside, in this run. */
const shown: string[] = []

// Said in the names of tests, since a skipped test says nothing of itself.
const lacking = 'missing' in containers ? `no containers here: ${containers.missing}` : undefined

describe.skipIf(lacking !== undefined)(lacking ?? 'work in a container at sandbox', () => {
  let ground: Ground
  const conversations = new Map<'inside' | 'outside', Conversation>()
  let number = 0

  beforeAll(async () => {
    if ('missing' in containers) return
    ground = await prepareGround()
    // The root lets others read it: a fleet that is root runs containers as nobody.
    chmodSync(ground.root, 0o755)
    const clock = systemClock()
    const { image, readable, probe } = containers
    const { folderBytes: _, ...bounds } = smallLimits
    const ways: Record<'inside' | 'outside', Transport> = {
      inside: containerCommands({
        ...{ image, readable, probe, clock, bounds, hidden: [ground.store], drainLimitMs: 200 },
      }),
      outside: commandTransport({ clock, environment: systemEnvironment(), drainLimitMs: 200 }),
    }
    for (const where of ['inside', 'outside'] as const)
      conversations.set(where, await converse(ways[where], { storeId: `container-escapes-${where}-${process.pid}` }))
  })
  afterAll(async () => {
    for (const { channel } of conversations.values()) await channel.close({ reason: 'test over', graceMs: 0 })
    await ground.remove()
  })

  /** What became of each attempt of a family. */
  async function outcomes(escapes: readonly Escape[], where: 'inside' | 'outside', begun: () => Promise<void> = async () => {}) {
    const id = `t${(number += 1)}`
    const { root, store, environment } = ground
    const command = ['/usr/bin/python3', '-I', '-S', '-B', '-c', programOf(escapes)]
    const confined = { network: false, writable_paths: [] }
    const place = { root, folder: join(store, 'run', 'attempts', id), environment }
    const conversation = conversations.get(where)!
    conversation.channel.send(
      assignment({ id, metadata: { command } }, where === 'inside' ? { ...place, confined, trust_level: 'sandbox' } : place),
    )
    await conversation.hear('accepted', id)
    await begun()
    const end = await conversation.last(id)
    const text = conversation.heard
      .map((message) => (message.type === 'log' && message.task_id === id ? message.text : ''))
      .join('')
    expect(end, text).toMatchObject({ type: 'result', exit_code: 0 })
    const lines = text.trimEnd().split('\n')
    return new Map(lines.map((line) => JSON.parse(line) as [string, string]))
  }

  test('SE3 the positive control: what is no escape succeeds in a container', async () => {
    const harmless = `
assert open(root + '/victim').read() == 'secret'
open(folder + '/a', 'w').write('x'); open('/tmp/a', 'w').write('x'); open('/dev/shm/a', 'w').write('x')
assert os.path.exists(os.environ['FLOTILLA_INPUT']) and os.getcwd() == root
child = os.fork()
if child == 0: os._exit(7)
assert os.waitpid(child, 0)[1] == 7 << 8
one, other = socket.socketpair(); one.send(b'x'); assert other.recv(1) == b'x'
server = socket.create_server(('127.0.0.1', 0)); socket.create_connection(server.getsockname()).close()
os.kill(os.getpid(), 0); sys_call('ioprio_set', 1, 0, 2 << 13)`
    expect([...(await outcomes([{ name: 'harmless', script: harmless }], 'inside')).values()]).toEqual(['ok'])
  })

  describe.for(Object.entries(families))('%s', ([, escapes]) => {
    let inside: ReadonlyMap<string, string>
    let outside: ReadonlyMap<string, string>
    let endLate = async (): Promise<void> => {}

    beforeAll(async () => {
      inside = await outcomes(escapes, 'inside', async () => {
        endLate = await ground.serveLate()
      })
      outside = await outcomes(
        escapes.filter(({ root }) => root !== true || isRoot),
        'outside',
      )
    })
    afterAll(() => endLate())

    test.for(escapes)('SE3 HO6 work in a container cannot reach $name', ({ name, root }) => {
      expect(inside.get(name)).toMatch(refusal)
      if (root === true && !isRoot) return
      expect(outside.get(name)).toBe('ok')
      shown.push(name)
    })
  })

  test('SE3 at least a hundred attempts, all of them different, came off outside and failed inside', () => {
    console.log(`${shown.length} attempts failed in a container and came off outside`)
    expect(new Set(shown).size).toBe(shown.length)
    expect(shown.length).toBeGreaterThanOrEqual(isRoot ? 100 : 60)
  })
})
