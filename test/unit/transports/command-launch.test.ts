import { mkdtemp, readFile, realpath, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { systemClock } from '../../../src/host/clock.ts'
import type { FleetReceipt } from '../../../src/protocol/receipt.ts'
import type { AssignMessage, CollectedMessage } from '../../../src/protocol/wire.ts'
import { commandTransport } from '../../../src/transports/commands/command.ts'
import { planLaunch } from '../../../src/transports/commands/command-launch.ts'
import { createRedactor } from '../../../src/security/redactor.ts'
import { startFailure } from '../../../src/transports/commands/command-outcome.ts'
import { assignment, converse, type Conversation } from '../../fixtures/conversation.ts'

let root: string
let folder: string
const open: Conversation[] = []
const variables: Record<string, string> = {
  HOME: '/home/someone',
  PATH: process.env['PATH']!,
  LANG: 'C.UTF-8',
  API_TOKEN: 'secret',
  FOO: 'foo',
}
const environment = { get: (name: string) => variables[name] }
const receipt: FleetReceipt = {
  run_id: 'r1',
  task_id: 't0',
  worker_id: 'w1',
  completed_at: '2026-01-01T00:00:00.000Z',
  result: 'pass',
  artifacts: [],
  output: { made: 'before' },
}

beforeEach(async () => {
  root = await realpath(await mkdtemp(join(tmpdir(), 'flotilla-launch-')))
  folder = join(root, 'attempt')
})

afterEach(async () => {
  await Promise.all(open.splice(0).map((conversation) => conversation.channel.close({ reason: 'test over', graceMs: 0 })))
  await rm(root, { recursive: true, force: true })
})

async function talk() {
  const conversation = await converse(commandTransport({ clock: systemClock(), environment }), { storeId: 'store-7' })
  open.push(conversation)
  return conversation
}

function command(argv: readonly string[], rest: Partial<AssignMessage> = {}) {
  return assignment({ metadata: { command: argv }, input: { question: 6 } }, { root, folder, ...rest })
}

function fixture(name: string): string {
  return fileURLToPath(new URL(`../../fixtures/${name}`, import.meta.url))
}

function answer(report: number, rest: Partial<CollectedMessage>): CollectedMessage {
  return { type: 'collected', run_id: 'r1', task_id: 't1', attempt: 1, report, ...rest }
}

describe('what a command finds', () => {
  it('WS3 LE6 its environment is the essentials, what its task allows and its lease, and nothing else', async () => {
    const conversation = await talk()
    conversation.channel.send(command(['env'], { environment: { FOO: 'foo', FLOTILLA_STORE: 'forged' }, attempt: 3 }))
    await conversation.last()

    expect(conversation.log().trimEnd().split('\n').toSorted()).toEqual(
      [
        'HOME=/home/someone',
        `PATH=${variables['PATH']}`,
        'LANG=C.UTF-8',
        'FOO=foo',
        'FLOTILLA_STORE=store-7',
        'FLOTILLA_RUN=r1',
        'FLOTILLA_TASK=t1',
        'FLOTILLA_ATTEMPT=3',
        `FLOTILLA_FOLDER=${folder}`,
        `FLOTILLA_ARTIFACTS=${folder}/artifacts`,
        `FLOTILLA_INPUT=${folder}/input.json`,
      ].toSorted(),
    )
  })

  it('WS1 its folder is the root of its workspace, and nothing waits on its standard input', async () => {
    const conversation = await talk()
    conversation.channel.send(command(['sh', '-c', 'pwd; cat; ls -d "$FLOTILLA_ARTIFACTS"']))
    await conversation.last()

    expect(conversation.log()).toBe(`${root}\n${folder}/artifacts\n`)
  })

  it('SE6 its arguments reach it as they are: no shell reads them', async () => {
    const conversation = await talk()
    conversation.channel.send(command(['printf', '%s\\n', '$HOME; rm -rf "*"', '--help', '`id`']))
    await conversation.last()

    expect(conversation.log()).toBe('$HOME; rm -rf "*"\n--help\n`id`\n')
  })

  it('RE5 SC5 its input file holds task, input, earlier receipts and dependencies', async () => {
    const conversation = await talk()
    conversation.channel.send(
      command(['cat', join(folder, 'input.json')], { previous: [receipt], dependencies: [{ task_id: 't0', receipt }] }),
    )
    await conversation.last()

    expect(JSON.parse(conversation.log())).toMatchObject({
      task: { id: 't1', instructions: 'Do it.' },
      input: { question: 6 },
      previous: [{ task_id: 't0', result: 'pass' }],
      dependencies: { t0: { receipt: { result: 'pass' }, output: { made: 'before' } } },
    })
  })

  it('SE5 its secrets are variables, over what its task allows; the lease stands over them', () => {
    const granted = { environment: { TOKEN: 'allowed', LANG: 'C' }, secrets: { TOKEN: 'a secret' } }
    const planned = planLaunch(command(['true'], granted), { storeId: 's', environment })
    expect(planned).toMatchObject({ args: [], environment: { TOKEN: 'a secret', LANG: 'C', FLOTILLA_STORE: 's' } })
  })

  it.each(['PATH', 'LD_PRELOAD', 'NODE_OPTIONS', 'FLOTILLA_RUN', 'a-key', 'A=B'])(
    'SE6 a secret with the key %s is none for a command, whoever assigned it: it is final, and says no value',
    async (key) => {
      const conversation = await talk()
      conversation.channel.send(command(['true'], { secrets: { [key]: 'hunter22' } }))
      const last = await conversation.last()
      expect(last).toMatchObject({ type: 'failed', recoverable: false, reason: expect.stringContaining(`<secret:${key}>`) })
      expect(JSON.stringify(last)).not.toContain('hunter22')
    },
  )

  it('SE5 its output is redacted before it is cut and before the streams are mixed, and output.json goes once it was read', async () => {
    const redactor = createRedactor([{ key: 'KEY', value: 'hunter22' }])
    const conversation = await converse(
      commandTransport({ clock: systemClock(), environment, lineLimit: 16, redactor: () => redactor }),
    )
    open.push(conversation)
    const script =
      'printf "0123456789hunter22\\nhunt"; printf "x\\n" >&2; printf "er22\\n"; echo \'"it"\' > "$FLOTILLA_FOLDER/output.json"'
    conversation.channel.send(command(['sh', '-c', script], { secrets: { KEY: 'hunter22' } }))
    expect(await conversation.last()).toMatchObject({ output: 'it', summary: '<secret:KEY>' })
    expect(conversation.log().split('\n').toSorted().filter(Boolean)).toEqual([
      '0123456789<secre [line cut: 6 bytes left out]', '<secret:KEY>', 'x',
    ]) // prettier-ignore
    await expect(stat(join(folder, 'output.json'))).rejects.toMatchObject({ code: 'ENOENT' })
  })

  it('SE1 BU2 its input file holds allow_parallel_reads and what is left of the budget', async () => {
    const allowed = { allow_parallel_reads: true, budget_left: { max_tokens: 7 } }
    const cases: [Partial<AssignMessage>, object][] = [
      [allowed, allowed],
      [{}, { allow_parallel_reads: false, budget_left: {} }],
    ]
    for (const [more, said] of cases) {
      const conversation = await talk()
      conversation.channel.send(command(['cat', join(folder, 'input.json')], more))
      await conversation.last()
      expect(JSON.parse(conversation.log())).toMatchObject(said)
    }
  })

  it('RE3 a task without a command cannot be launched', () => {
    expect(planLaunch(assignment(), { storeId: 's', environment })).toHaveProperty('problem')
    expect(planLaunch(command(['true']), { storeId: 's', environment })).toMatchObject({ program: 'true', args: [] })
  })

  it('RE3 a machine without room is a transport failure and may recover; a program that cannot run is final', () => {
    const error = (code: string) => Object.assign(new Error(`spawn x ${code}`), { code })

    for (const code of ['EAGAIN', 'EMFILE', 'ENOMEM', 'ENFILE']) {
      expect(startFailure('x', error(code))).toMatchObject({ failure_kind: 'transport', recoverable: true })
    }
    for (const code of ['ENOENT', 'EACCES', 'E2BIG', 'ENOTDIR']) {
      expect(startFailure('x', error(code))).toMatchObject({ failure_kind: 'task', recoverable: false })
    }
  })
})

describe('what a command leaves', () => {
  it('AR3 every file is reported by its first name, links and fifos too, and the result waits for the answers', async () => {
    const conversation = await talk()
    conversation.channel.send(command([fixture('leave-artifacts.sh')]))

    const reported: [string, string][] = []
    for (const report of [1, 2, 3, 4, 5]) {
      const message = await hearReport(conversation, report)
      expect(conversation.heard.some((heard) => heard.type === 'result')).toBe(false)
      reported.push([message.kind, message.path])
      conversation.channel.send(
        message.path.endsWith('pipe') ? answer(report, { refused: 'a fifo' }) : answer(report, { artifact: message }),
      )
    }

    expect(reported).toEqual([
      ['folder-link', 'artifacts/folder-link'],
      ['link', 'artifacts/link.txt'],
      ['patch', 'artifacts/patch/a.diff'],
      ['pipe', 'artifacts/pipe'],
      ['report', 'artifacts/report.md'],
    ])
    expect(await conversation.last()).toMatchObject({ type: 'result', summary: 'done', output: { answer: 42 } })
    expect(conversation.log()).toContain('[artifact artifacts/pipe refused: a fifo]')
  })

  it('AR4 what is over the number of artifacts is said in the log, and one is reported so that it is refused', async () => {
    const conversation = await converse(commandTransport({ clock: systemClock(), environment, artifactLimit: 2 }))
    open.push(conversation)
    conversation.channel.send(command(['sh', '-c', 'cd "$FLOTILLA_ARTIFACTS"; touch a b c d e']))
    for (const report of [1, 2, 3]) {
      await hearReport(conversation, report)
      conversation.channel.send(answer(report, { refused: 'test' }))
    }

    await conversation.last()
    expect(conversation.log()).toContain('[2 more artifacts left out: an attempt may leave 2]')
  })

  it('RU5 a command that is stopped while its artifacts are collected ends without the answers', async () => {
    const conversation = await talk()
    const assign = command([fixture('leave-artifacts.sh')])
    conversation.channel.send(assign)
    await hearReport(conversation, 1)

    conversation.stop(assign)

    expect((await conversation.last()).type).toBe('stopped')
  })

  it.each([
    ['is no JSON', 'echo "{" >'],
    ['has a key __proto__', `echo '{"__proto__": {}}' >`],
    ['is a link', `ln -s /etc/hostname`],
    ['is a fifo', 'mkfifo'],
    ['is a folder', 'mkdir'],
    ['is too large', 'head -c 2000000 /dev/zero >'],
  ])('HO8 an output.json that %s is left out, with a note in the log', async (_, make) => {
    const conversation = await talk()
    conversation.channel.send(command(['sh', '-c', `${make} "$FLOTILLA_FOLDER/output.json"`]))

    expect(await conversation.last()).not.toHaveProperty('output')
    expect(conversation.log()).toMatch(/^\[output\.json left out: .+\]\n$/s)
  })

  it('VE8 a command that leaves no output.json has no output, and that is no note', async () => {
    await writeFile(join(root, 'control'), '')
    const conversation = await talk()
    conversation.channel.send(command(['true']))

    expect(await conversation.last()).not.toHaveProperty('output')
    expect(conversation.log()).toBe('')
    expect(await readFile(join(folder, 'input.json'), 'utf8')).toContain('question')
    expect((await stat(join(folder, 'artifacts'))).isDirectory()).toBe(true)
  })
})

async function hearReport(conversation: Conversation, report: number) {
  await expect
    .poll(() => conversation.heard.some((message) => message.type === 'artifact' && message.report === report))
    .toBe(true)
  const found = conversation.heard.find((message) => message.type === 'artifact' && message.report === report)
  if (found?.type !== 'artifact') throw new Error('No such report.')
  return found
}
