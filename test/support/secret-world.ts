import { readdir, readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { openFleet } from '../../src/fleet/open-fleet.ts'
import { defineTask } from '../../src/worker/define-task.ts'
import { jsonStore } from '../../src/fleet/stores.ts'
import type { Redactor } from '../../src/security/redactor.ts'
import type { AttemptContext } from '../../src/worker/attempt.ts'
import type { CliFolder } from './cli.ts'
import { secretEncodings } from './secret-encodings.ts'

/** Awkward in every encoding: characters that each of them escapes. It is the name of a file, too. */
export const canary = 'cn-Zq7+w"e9%21&k<R>\\t\u00fc\u{1f511} end=?'

const canaryForms: readonly string[] = Object.values(secretEncodings).map((encode) => encode(canary))

/** What a world without redaction has in the place of a redactor. */
export const noRedaction = (): Redactor => ({
  text: (text) => text,
  json: (value) => value,
  stream: () => ({ write: (bytes) => bytes, end: () => new Uint8Array(), giveBack: () => new Uint8Array() }),
})

/** Where the secret was seen, by place. */
export type Leaks = Readonly<Record<string, readonly string[]>>

const policy = { default_trust_level: 'local', allowed_secrets: ['CANARY'] } as const
const printer = fileURLToPath(new URL('../fixtures/print-secret.mjs', import.meta.url))
/** A task that runs the printing command; `ending`: `pass`, `fail`, `throw` or `kill`; `gate`: a file that it waits for. */
export function printingTask(id: string, ending: string, gate?: string): Record<string, unknown> {
  return {
    id,
    name: id,
    instructions: 'Print it.',
    metadata: { command: [process.execPath, printer, ending, ...(gate === undefined ? [] : [gate])] },
    retry_policy: { max_attempts: 2, initial_backoff_seconds: 0 },
    scorer: { kind: 'exit_code' },
  }
}

/** Has functions and commands print the secret wherever they can, and gives every place where it was seen. */
export async function seeSecret(cli: CliFolder, redactor?: () => Redactor): Promise<Leaks> {
  const seen = createSeen()
  const folder = join(cli.path, '.flotilla')
  await using receiver = await openReceiver((text) => seen('alerts', text))
  const { fleet } = await openFleet(
    {
      store: jsonStore({ folder }),
      workspace: cli.path,
      secrets: { source: 'vault', resolve: (key) => (key === 'CANARY' ? canary : undefined) },
      handlers: { talk, refuse, give, fail: failing, cut },
      workers: [{ id: 'commands', commands: true, slots: 2 }],
      alerts: { allowPrivateAddresses: true, allowHttp: true },
    },
    redactor === undefined ? {} : { redactor },
  )
  void (async () => {
    for await (const event of fleet.events()) seen('live events', JSON.stringify(event))
  })()
  const once = {
    retry_policy: { max_attempts: 2, initial_backoff_seconds: 0 },
    alert_policy: { channels: [{ kind: 'webhook', url: receiver.url }] },
  } as const
  await cli.file('evidence.json', { found: canary })
  const plain = (id: string, handler: string) => ({ id, name: id, instructions: 'x', handler, ...once })
  const run = await fleet.start({
    name: 'canary',
    security_policy: policy,
    tasks: [
      ...['talk', 'refuse', 'give', 'fail', 'cut'].map((name) => plain(name, name)),
      { ...plain('scored', 'give'), scorer: { kind: 'json_path', path: 'evidence.json', expression: '$.found' } },
      ...['pass', 'fail', 'throw', 'kill'].map((ending) => printingTask(`command-${ending}`, ending) as never),
    ],
  })
  const result = await run.result()
  try {
    result.assertCompleted()
  } catch (error) {
    seen('errors', `${String(error)} ${JSON.stringify(error)} ${(error as Error).stack ?? ''}`)
  }
  for (const [id, receipt] of Object.entries(result.receipts)) seen(`receipts`, `${id} ${JSON.stringify(receipt)}`)
  for (const { id, attempt } of await run.tasks()) {
    for (let number = 1; number <= attempt; number++) {
      const log = await run.log(id, { attempt: number })
      if (log !== undefined) seen('logs', new TextDecoder().decode(log.bytes))
    }
  }
  for await (const event of run.events()) seen('replayed events', JSON.stringify(event))
  for (const artifact of await run.artifacts()) seen('artifacts', JSON.stringify(artifact))
  await fleet.close()
  await seeCommandLine(cli, run.id, seen)
  await seeFiles(folder, seen)
  return seen.leaks
}

/** Whoever is told of alerts. */
async function openReceiver(hear: (text: string) => void): Promise<AsyncDisposable & { readonly url: string }> {
  const server = createServer((request, response) => {
    let body = ''
    request.setEncoding('utf8').on('data', (text: string) => (body += text))
    request.on('end', () => {
      hear(JSON.stringify(request.headers) + body)
      response.end()
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}/`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

interface Seen {
  (place: string, text: string): void
  readonly leaks: Record<string, string[]>
}

function createSeen(): Seen {
  const leaks: Record<string, string[]> = {}
  const seen = (place: string, text: string): void => {
    for (const form of formsIn(text)) (leaks[place] ??= []).push(form)
  }
  return Object.assign(seen, { leaks })
}

/** The forms of the secret that a text holds, as they are or as JSON holds them. */
export function formsIn(text: string): string[] {
  return canaryForms.filter((form) => text.includes(form) || text.includes(inJson(form)) || text.includes(inJson(inJson(form))))
}

function inJson(text: string): string {
  return JSON.stringify(text).slice(1, -1)
}

async function seeCommandLine(cli: CliFolder, run: string, seen: Seen): Promise<void> {
  const verbs = [
    ['list'], ['status', run], ['events', run], ['events', run, '--public'], ['artifacts', run], ['doctor'], ['verify', run],
    ...['talk', 'refuse', 'give', 'fail', 'cut', 'scored', 'command-pass', 'command-fail', 'command-throw', 'command-kill'].flatMap((task) => [
      ['inspect', run, task], ['logs', run, task], ['explain', run, task],
    ]),
  ] // prettier-ignore
  for (const words of verbs) {
    for (const json of [[], ['--json']]) {
      const { out, err } = await cli.call(...words, ...json)
      seen(`command line`, out + err)
    }
  }
}

/** Every file, byte for byte, and every name; but for the names that the command gave to its own artifacts. */
async function seeFiles(folder: string, seen: Seen): Promise<void> {
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.parentPath.includes('/artifacts')) seen('names of files', entry.name)
    if (entry.isFile()) seen('files', await readFile(join(entry.parentPath, entry.name), 'utf8'))
  }
}

async function talk(attempt: AttemptContext): Promise<unknown> {
  const secret = attempt.secrets.get('CANARY')
  const told: unknown[] = []
  for (const [name, encode] of Object.entries(secretEncodings)) {
    const written = encode(secret)
    void attempt.log(`log ${name}: ${written} end`)
    void attempt.tool(`tool ${written}`, `call ${written}`)
    void attempt.modelWait(`model ${written}`)
    void attempt.workflow(`flow ${written}`, { [written]: [written, { nested: `a ${written} b` }] })
    const kind = `kind ${written}`
    for (const named of [`name ${written}`.replaceAll('\n', ''), `../${written}`, `/absolute/${written}`]) {
      await attempt
        .artifact({ kind, name: named, content: 'nothing to see', mimeType: `text/${written}` })
        .catch((error: unknown) => {
          told.push(String(error))
        })
    }
    await attempt.artifact({ kind, path: `missing ${written}` }).catch((error: unknown) => told.push(String(error)))
  }
  // Whoever writes no TypeScript may pass anything.
  try {
    await attempt.usage({ inputTokens: secret as unknown as number })
  } catch (error) {
    void attempt.log(`usage: ${String(error)} ${(error as Error).stack ?? ''}`)
  }
  void attempt.log(told.join('\n'))
  return {
    [secret]: secret,
    all: Object.fromEntries(Object.values(secretEncodings).map((encode) => [encode(secret), encode(secret)])),
  }
}

const refuse = defineTask({
  name: 'refuse',
  output: {
    '~standard': {
      version: 1,
      vendor: 'test',
      validate: (value) => ({ issues: [{ message: `not ${JSON.stringify(value)}`, path: [String(value)] }] }),
    },
  },
  run: ({ secrets }) => secrets.get('CANARY'),
})

async function give({ secrets }: AttemptContext): Promise<unknown> {
  return secrets.get('CANARY')
}

async function failing({ secrets, number, fail }: AttemptContext): Promise<unknown> {
  const forms = Object.values(secretEncodings).map((encode) => encode(secrets.get('CANARY')))
  if (number === 1) return fail(forms.join(' | '))
  throw new TypeError(`thrown: ${forms.toReversed().join(' | ')}`, { cause: secrets.get('CANARY') })
}

/** The cut of a reason falls into the secret. */
async function cut({ secrets }: AttemptContext): Promise<unknown> {
  throw new Error(`${'x'.repeat(4_096 - 'Error: '.length - 12)}${secrets.get('CANARY')}`)
}
