import { chmod, mkdtemp, readFile, realpath, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { systemClock } from '../../../src/host/clock.ts'
import { systemEnvironment } from '../../../src/host/environment.ts'
import { processFacts } from '../../../src/transports/process-group.ts'
import { attemptKey } from '../../../src/protocol/attempt-key.ts'
import { commandTransport, type CommandTransportOptions } from '../../../src/transports/commands/command.ts'
import { assignment, converse, type Conversation } from '../../fixtures/conversation.ts'
import { isRunning, numberAfter, until } from '../../fixtures/processes.ts'

let root: string
const open: Conversation[] = []

beforeEach(async () => {
  root = await realpath(await mkdtemp(join(tmpdir(), 'flotilla-command-')))
})

afterEach(async () => {
  await Promise.all(open.splice(0).map((conversation) => conversation.channel.close({ reason: 'test over', graceMs: 0 })))
  await rm(root, { recursive: true, force: true })
})

async function talk(options: Partial<CommandTransportOptions> = {}, storeId = `store-${process.pid}`) {
  const conversation = await converse(
    commandTransport({ clock: systemClock(), environment: systemEnvironment(), drainLimitMs: 300, ...options }),
    { storeId },
  )
  open.push(conversation)
  return conversation
}

function fixture(name: string): string {
  return fileURLToPath(new URL(`../../fixtures/${name}`, import.meta.url))
}

function command(argv: readonly string[], rest: Parameters<typeof assignment>[1] & { readonly id?: string } = {}) {
  const { id = 't1', ...message } = rest
  return assignment({ id, metadata: { command: argv } }, { root, folder: join(root, 'attempts', id), ...message })
}

describe('a command', () => {
  it('HO3 leads a process group of its own, and says which and since when', async () => {
    const conversation = await talk()
    const assign = command([fixture('forever.sh')])
    conversation.channel.send(assign)

    const { process: record } = await conversation.hear('accepted')
    const facts = processFacts(record!.group)

    expect(facts).toMatchObject({ group: record!.group, started: record!.started })
    expect(record!.started).toMatch(/^\d+$/)
  })

  it('HO3 is asked to end, and confirms once it has', async () => {
    const conversation = await talk()
    const assign = command([fixture('heed-term.sh')])
    conversation.channel.send(assign)
    await until(() => conversation.log().includes('ready'))

    conversation.stop(assign)

    expect((await conversation.last()).type).toBe('stopped')
    expect(conversation.log()).toContain('heeded')
    expect(isRunning((await conversation.hear('accepted')).process!.group)).toBe(false)
  })

  it('BU2 is asked by TERM to hand back what it has, and one that ends with code 0 in time has', async () => {
    const conversation = await talk()
    const assign = command([fixture('heed-term.sh')])
    conversation.channel.send(assign)
    await until(() => conversation.log().includes('ready'))

    conversation.channel.send({ type: 'hand_back', ...attemptKey(assign), reason: 'the budget is spent', grace_ms: 60_000 })

    expect(await conversation.last()).toMatchObject({ type: 'result', exit_code: 0, summary: 'heeded' })
  })

  it('BU2 that ignores the ask to hand back is killed after the grace, and hands back nothing', async () => {
    const conversation = await talk()
    const assign = command([fixture('ignore-term.sh')])
    conversation.channel.send(assign)
    await until(() => conversation.log().includes('ready'))

    conversation.channel.send({ type: 'hand_back', ...attemptKey(assign), reason: 'the budget is spent', grace_ms: 100 })

    expect(await conversation.last()).toMatchObject({ type: 'failed', failure_kind: 'transport' })
  })

  it('HO3 the whole tree hears TERM, not only the leader', async () => {
    const conversation = await talk()
    const assign = command([fixture('heed-term-together.sh')])
    conversation.channel.send(assign)
    await until(() => conversation.log().includes('ready'))

    conversation.stop(assign)

    expect((await conversation.last()).type).toBe('stopped')
    expect(conversation.log()).toBe('ready\nchild heeded\nleader heeded\n')
  })

  it('HO3 that ignores TERM is killed after the grace, with its children', async () => {
    const conversation = await talk({ termToKillMs: 100 })
    const assign = command([fixture('ignore-term.sh')])
    conversation.channel.send(assign)
    await until(() => conversation.log().includes('ready'))
    const [leader, child] = /ready (\d+) (\d+)/.exec(conversation.log())!.slice(1).map(Number)
    expect([isRunning(leader!), isRunning(child!)]).toEqual([true, true])

    conversation.stop(assign)

    expect((await conversation.last()).type).toBe('stopped')
    await until(() => !isRunning(leader!) && !isRunning(child!))
  })

  it('HO3 a stop without grace kills at once, whatever the limit', async () => {
    const conversation = await talk({ termToKillMs: 60_000 })
    const assign = command([fixture('ignore-term.sh')])
    conversation.channel.send(assign)
    await until(() => conversation.log().includes('ready'))

    conversation.stop(assign, { graceMs: 0 })

    expect((await conversation.last()).type).toBe('stopped')
  })

  it('HO3 that is stopped takes along a grandchild that left its group', async () => {
    const conversation = await talk()
    const assign = command([fixture('wait-with-escaped-grandchild.sh')])
    conversation.channel.send(assign)
    await until(() => conversation.log().includes('grandchild'))
    const grandchild = numberAfter('grandchild', conversation.log())
    expect(processFacts(grandchild)?.group).not.toBe((await conversation.hear('accepted')).process?.group)
    expect(isRunning(grandchild)).toBe(true)

    conversation.stop(assign)

    await conversation.last()
    expect(isRunning(grandchild)).toBe(false)
  })

  it.each(['leave-grandchild.sh', 'leave-quiet-grandchild.sh', 'leave-escaped-grandchild.sh'])(
    'HO3 %s ends with its leader, and nothing of it stays',
    async (name) => {
      const conversation = await talk()
      conversation.channel.send(command([fixture(name)]))

      expect(await conversation.last()).toMatchObject({ type: 'result', exit_code: 0 })
      const grandchild = numberAfter('grandchild', conversation.log())
      await until(() => !isRunning(grandchild), 'the grandchild to be gone')
    },
  )

  it('HO3 what it leaves may write until the drain limit, and is heard', async () => {
    const conversation = await talk({ drainLimitMs: 60_000 })
    conversation.channel.send(command([fixture('write-after-leader.sh')]))

    expect(await conversation.last()).toMatchObject({ type: 'result', exit_code: 0 })
    expect(conversation.log()).toBe('early\nlate\n')
  })

  it('HO3 stopping one takes nothing of its sibling', async () => {
    const conversation = await talk()
    const [first, second] = [
      command([fixture('forever.sh')], { id: 'first' }),
      command([fixture('forever.sh')], { id: 'second' }),
    ]
    conversation.channel.send(first)
    conversation.channel.send(second)
    const sibling = (await conversation.hear('accepted', 'second')).process!.group
    await conversation.hear('accepted', 'first')

    conversation.stop(first)
    await conversation.last('first')

    expect(isRunning(sibling)).toBe(true)
    conversation.stop(second)
    await conversation.last('second')
    expect(isRunning(sibling)).toBe(false)
  })

  it('RU5 that is stopped before it was started never starts', async () => {
    const conversation = await talk()
    const assign = command(['sh', '-c', `touch "${root}/ran"`])
    conversation.channel.send(assign)
    conversation.stop(assign)

    expect((await conversation.last()).type).toBe('stopped')
    expect(conversation.heard.map((message) => message.type)).toEqual(['hello', 'stopped'])
    await expect(readFile(join(root, 'ran'))).rejects.toThrow('ENOENT')
  })

  it('CO8 closing the channel ends all that runs', async () => {
    const conversation = await talk({ termToKillMs: 100 })
    conversation.channel.send(command([fixture('ignore-term.sh')], { id: 'first' }))
    conversation.channel.send(command([fixture('forever.sh')], { id: 'second' }))
    const groups = [
      (await conversation.hear('accepted', 'first')).process!.group,
      (await conversation.hear('accepted', 'second')).process!.group,
    ]
    await until(() => (conversation.log().match(/ready/g) ?? []).length === 2)

    await conversation.channel.close({ reason: 'closing', graceMs: 60_000 })

    expect(groups.map(isRunning)).toEqual([false, false])
    expect(await conversation.channel.closed).toEqual({ reason: 'closing', asked: true })
  })

  it('HO4 a flood neither blocks the command nor the end of its log', async () => {
    const conversation = await talk({ unreadLimit: 1024 * 1024 })
    conversation.channel.send(command([process.execPath, fixture('flood.mjs')]))

    expect(await conversation.last()).toMatchObject({ type: 'result', exit_code: 0, summary: 'the last line' })
    expect(conversation.log()).toMatch(/the last line\n$/)
  })

  it('HO4 a line over the limit is cut and counted', async () => {
    const conversation = await talk()
    conversation.channel.send(command([process.execPath, fixture('long-line.mjs')]))
    await conversation.last()

    const [long, short] = conversation.log().split('\n')
    expect(long).toBe(`${'y'.repeat(1024 * 1024)} [line cut: ${2 * 1024 * 1024} bytes left out]`)
    expect(short).toBe('short')
  })

  it('HO4 characters that are cut by the borders of chunks arrive whole, and a last line without end counts', async () => {
    const conversation = await talk()
    conversation.channel.send(command([process.execPath, fixture('half-lines.mjs')]))

    expect(await conversation.last()).toMatchObject({ type: 'result', summary: 'last' })
    expect(conversation.log()).toBe('caf\u00e9 \u{1f6a2}\nlast\n')
  })

  it('HO4 bytes that are no text do no harm', async () => {
    const conversation = await talk()
    conversation.channel.send(command([process.execPath, fixture('binary-output.mjs')]))

    expect(await conversation.last()).toMatchObject({ type: 'result', summary: 'ok' })
    expect(conversation.log()).toBe('\0\ufffd\ufffd\ufffd\nok\n')
  })

  it('HO4 standard error is log, and no summary', async () => {
    const conversation = await talk()
    conversation.channel.send(command(['sh', '-c', 'echo said; echo complained >&2; echo']))

    expect(await conversation.last()).toMatchObject({ summary: 'said' })
    expect(conversation.log()).toContain('complained\n')
  })

  it('RE7 exit code 0 is a result, another one a task failure with the end of the output', async () => {
    const conversation = await talk()
    conversation.channel.send(command(['true'], { id: 'good' }))
    conversation.channel.send(command(['sh', '-c', 'echo first; echo no such thing >&2; exit 3'], { id: 'bad' }))

    expect(await conversation.last('good')).toMatchObject({ type: 'result', exit_code: 0 })
    const failure = await conversation.last('bad')
    expect(failure).toMatchObject({ type: 'failed', failure_kind: 'task', exit_code: 3, recoverable: true })
    expect(failure).toHaveProperty('reason', expect.stringMatching(/^exit code 3\n/))
    expect(failure).toHaveProperty('reason', expect.stringContaining('no such thing'))
  })

  it('RE7 a command that somebody else kills is a transport failure', async () => {
    const conversation = await talk()
    conversation.channel.send(command(['sh', '-c', 'kill -9 $$']))

    const failure = await conversation.last()
    expect(failure).toMatchObject({ type: 'failed', failure_kind: 'transport', reason: 'killed by SIGKILL' })
    expect(failure).not.toHaveProperty('recoverable')
  })

  it('RE3 a program that does not exist or may not be run, and a root that is missing, are final and named', async () => {
    const conversation = await talk()
    const plain = join(root, 'plain.txt')
    await writeFile(plain, '#!/bin/sh\n')
    conversation.channel.send(command(['no-such-program-here'], { id: 'missing' }))
    conversation.channel.send(command([plain], { id: 'plain' }))
    conversation.channel.send(command(['true'], { id: 'homeless', root: join(root, 'gone') }))

    expect(await conversation.last('missing')).toMatchObject({
      type: 'failed',
      failure_kind: 'task',
      recoverable: false,
      reason: expect.stringContaining('cannot run no-such-program-here: there is no such program'),
    })
    expect(await conversation.last('plain')).toMatchObject({
      failure_kind: 'task',
      recoverable: false,
      reason: expect.stringContaining('may not be executed (EACCES)'),
    })
    expect(await conversation.last('homeless')).toMatchObject({
      failure_kind: 'task',
      recoverable: false,
      reason: `cannot run true: its workspace root ${join(root, 'gone')} is no folder`,
    })

    await chmod(plain, 0o755)
    conversation.channel.send(command([plain], { id: 'control' }))
    expect((await conversation.last('control')).type).toBe('result')
  })
})
