import { readFileSync } from 'node:fs'
import { jsonSchema } from 'flotilla/protocol'
import type { AttemptKey } from '../../src/protocol/wire.ts'
import type { FleetFrame, WorkerFrame } from '../../src/protocol/worker-protocol.ts'

type FrameOf<Side, Type> = Side extends { readonly type: infer Own } ? (Type extends Own ? Side : never) : never

/** What every frame of its kind has, and what only the fleet's own messages have. */
type NotInTables = 'type' | 'seq' | keyof AttemptKey | 'evidence_root'

type Rows<Side extends { readonly type: string }> = {
  readonly [Type in Side['type']]: {
    readonly when: string
    /** What each field holds; the compiler asks for every one of them, and for no other. */
    readonly fields: { readonly [Field in Exclude<keyof FrameOf<Side, Type>, NotInTables>]-?: string }
    readonly example: FrameOf<Side, Type>
  }
}

const key: AttemptKey = { run_id: 'run-1', task_id: 'build', attempt: 1 }
const transfer = 'the number of the transfer that brought its bytes'
const piece = { transfer: 'numbers the files of one attempt and one direction', bytes: 'at most 512 KiB, as base64' }

export const workerRows: Rows<WorkerFrame> = {
  hello: {
    when: 'The first frame of every connection.',
    fields: {
      protocol: 'the version of the protocol: 1',
      worker_id: 'who it is; a worker that the fleet started may leave it out',
      incarnation: 'changes at each start of the worker, and not when it reconnects; as `worker_id`',
      token: 'proves who it is, where the connection does not',
      handlers: 'the handlers that it serves; left out: it takes whatever it is given',
      plain: 'it does tasks that name neither a handler nor a command',
      capabilities: 'what it can do',
      resumes: 'it keeps what was not acknowledged, and says it again on its next connection',
      attempts:
        'those that run, and those whose end was not acknowledged: their key, `acked` (the last number of its own that was acknowledged, or 0) and `heard` (the last number of the fleet that it took, or 0)',
    },
    example: { type: 'hello', protocol: 1, handlers: ['build'], plain: false, attempts: [] },
  },
  ack: {
    when: 'Everything of the attempt up to the number `seq` was taken.',
    fields: {},
    example: { type: 'ack', ...key, seq: 1 },
  },
  ping: { when: 'Whoever hears it answers `pong` at once.', fields: {}, example: { type: 'ping' } },
  pong: { when: 'The answer to a `ping`.', fields: {}, example: { type: 'pong' } },
  drain: {
    when: 'The worker takes no more attempts; what runs goes on. Its next hello takes it back.',
    fields: { reason: 'why, for people' },
    example: { type: 'drain', reason: 'maintenance' },
  },
  bye: {
    when: 'The worker leaves. What it still ran is given back.',
    fields: { reason: 'why, for people' },
    example: { type: 'bye', reason: 'maintenance' },
  },
  accepted: {
    when: 'The first frame of an attempt: the worker has begun it.',
    fields: {
      process: 'the group of processes that serves it: `group` (the id of its leader) and `started` (as the platform counts it)',
    },
    example: { type: 'accepted', ...key, seq: 1 },
  },
  heartbeat: {
    when: 'The attempt is alive. Sent every `heartbeat_ms` while it runs, by the worker itself, whatever the work does. Not numbered, and not said again.',
    fields: { cpu_percent: 'of one core', memory_mb: 'of the worker, in MiB' },
    example: { type: 'heartbeat', ...key, cpu_percent: 12.5, memory_mb: 48 },
  },
  progress: {
    when: 'What the work does; it becomes an event of the run, and counts against the budget.',
    fields: {
      event:
        '`{"state":"model_wait","model"?}`, `{"state":"running_tool","tool","call_id"?}` or `{"state":"workflow_event","workflow_run_id","event"}`',
    },
    example: { type: 'progress', ...key, seq: 2, event: { state: 'running_tool', tool: 'compiler', call_id: 'call-1' } },
  },
  usage: {
    when: 'Tokens spent since the last such frame.',
    fields: { input_tokens: 'tokens that a model read', output_tokens: 'tokens that a model wrote' },
    example: { type: 'usage', ...key, seq: 3, input_tokens: 1200, output_tokens: 340 },
  },
  route: {
    when: 'The route to the model; the last one of an attempt counts.',
    fields: {
      route:
        '`provider_id`, `provider_kind` and `protocol`; may have `provider_exact_id`, `canonical_model`, `wire_model_id`, `model_route` and `reasoning_effort`. Never a credential',
    },
    example: {
      type: 'route',
      ...key,
      seq: 4,
      route: { provider_id: 'maker', provider_kind: 'http', protocol: 'chat', wire_model_id: 'model-4' },
    },
  },
  log: {
    when: 'Text for the log of the attempt.',
    fields: { text: 'with its line breaks' },
    example: { type: 'log', ...key, seq: 5, text: 'compiling\n' },
  },
  chunk: {
    when: 'A piece of a file. The frame that names its `transfer` follows the last piece; a file of no bytes may have none.',
    fields: piece,
    example: { type: 'chunk', ...key, seq: 6, transfer: 1, bytes: 'c29tZSBieXRlcw==' },
  },
  artifact: {
    when: 'The work left something. The fleet answers with `collected`.',
    fields: {
      report: 'numbers the reports of the attempt, so that the answer finds its caller',
      kind: '`log`, `patch`, `test_result`, `report`, `checkpoint`, `receipt`, or a kind of your own',
      path: 'relative to the folder of the attempt, else to the root of the task; with bytes, the name to record',
      bytes: 'its bytes, up to 256 KiB, as base64; only this, or `transfer`, where files are not shared',
      transfer,
      mime_type: 'what is in it',
      checksum: 'a claim, which the fleet checks',
      size_bytes: 'a claim, which the fleet checks',
    },
    example: { type: 'artifact', ...key, seq: 7, report: 1, kind: 'report', path: 'report.bin', transfer: 1 },
  },
  evidence: {
    when: 'What the path that the task’s scorer reads is like at the end of the work, from workers that do not share files; before the `result`.',
    fields: {
      path: 'as the scorer names it',
      found:
        '`file`: a regular file; `missing`; `no_file`: something else; `refused`: it could not be read, or leads out of the root',
      transfer: `${transfer}, at most 1,000,000; left out where the scorer asks only whether the file exists`,
      reason: 'why it was refused',
    },
    example: { type: 'evidence', ...key, seq: 8, path: 'out.json', found: 'missing' },
  },
  result: {
    when: 'The work ended by itself. A last frame: nothing of the attempt runs any more.',
    fields: {
      exit_code: 'of a program',
      summary: 'one line for people',
      output: 'any JSON: the output of the task',
      schema_accepted: 'a schema of the worker accepted the output',
    },
    example: { type: 'result', ...key, seq: 9, output: { built: true } },
  },
  failed: {
    when: 'The work failed. A last frame.',
    fields: {
      reason: 'why; cut to 4,096 bytes, without secrets',
      failure_kind: '`task`: the work itself failed; `transport`: it never got that far',
      exit_code: 'of a program',
      recoverable: 'only an explicit `false` makes the failure final',
    },
    example: { type: 'failed', ...key, seq: 9, reason: 'the compiler found 3 errors', failure_kind: 'task', recoverable: false },
  },
  stopped: {
    when: 'The answer to a `stop`, or the worker gave the attempt up: nothing of it runs any more. A last frame.',
    fields: {
      released: 'why the worker could not go on, through no fault of the task: the attempt is given back, and does not count',
    },
    example: { type: 'stopped', ...key, seq: 9 },
  },
}

export const fleetRows: Rows<FleetFrame> = {
  welcome: {
    when: 'The answer to a `hello` that was taken. Nothing but a `ping` or a `refused` comes before it.',
    fields: {
      protocol: 'the version of the protocol: 1',
      worker_id: 'who the worker is',
      incarnation: 'of the worker',
      slots: 'attempts that it gets at a time',
      lease_ttl_ms: 'a lease of which nothing is heard for so long is over',
      heartbeat_ms: 'how often each attempt sends a `heartbeat`',
      shares_files: 'the worker sees the files of the fleet under the same paths',
    },
    example: {
      ...{ type: 'welcome', protocol: 1, worker_id: 'builder', incarnation: 'inc-1', slots: 1 },
      ...{ lease_ttl_ms: 60_000, heartbeat_ms: 15_000, shares_files: false },
    } as const,
  },
  refused: {
    when: 'The worker, or something that it said, was not taken. The connection is closed after it.',
    fields: {
      code: 'stable: `unsupported_protocol`, `unauthenticated`, `unknown_worker`, `invalid_message`, `too_large`, …',
      reason: 'what was expected, for people',
    },
    example: { type: 'refused', code: 'unsupported_protocol', reason: 'This fleet speaks version 1.' },
  },
  ack: {
    when: 'Everything of the attempt up to the number `seq` is kept. Only for workers that resume.',
    fields: {},
    example: { type: 'ack', ...key, seq: 9 },
  },
  ping: { when: 'Whoever hears it answers `pong` at once.', fields: {}, example: { type: 'ping' } },
  pong: { when: 'The answer to a `ping`.', fields: {}, example: { type: 'pong' } },
  drain: { when: 'No more attempts come. What runs goes on.', fields: { reason: 'why, for people' }, example: { type: 'drain' } },
  bye: {
    when: 'The worker aborts all, says its last frames, and goes.',
    fields: { reason: 'why, for people', grace_ms: 'how long it may take' },
    example: { type: 'bye', reason: 'the fleet closes', grace_ms: 10_000 },
  },
  assign: {
    when: 'The worker gets an attempt. One that it has already is not begun again.',
    fields: {
      task: 'the task, with what applies to it merged in',
      previous: 'receipts of the attempts before this one, oldest first',
      dependencies: 'what the tasks in `depends_on` left: `task_id` and `receipt`',
      folder: 'absolute path of the attempt’s own folder, where files are shared; whoever needs it makes it',
      root: 'absolute path of the root of the task, where files are shared',
      environment: 'variables that the task asked for, for workers that start programs',
      secrets: 'the secrets that the attempt was granted, by key: keep them out of logs, files and argument lists',
      allow_parallel_reads: 'the policy of the run lets the work read several files at a time',
      budget_left: 'what the attempt may still spend',
      trust_level: 'the level that the attempt runs at',
      confined: 'what the worker was confined to: whether it has the `network`, and the `writable_paths`',
    },
    example: {
      ...{ type: 'assign', ...key, seq: 1, previous: [], dependencies: [], environment: {}, allow_parallel_reads: false },
      trust_level: 'local',
      task: {
        ...{ id: 'build', name: 'Build', instructions: 'Build it.', handler: 'build', input: { target: 'all' } },
        ...{ input_files: [], context: [], tags: [], expected_artifacts: [], metadata: {}, depends_on: [] },
      },
    } as const,
  },
  chunk: {
    when: 'A piece of a file; as a worker’s.',
    fields: piece,
    example: { type: 'chunk', ...key, seq: 1, transfer: 1, bytes: 'c29tZSBieXRlcw==' },
  },
  file: {
    when: 'A file of the task’s root, before the `assign`, for workers that do not share files.',
    fields: { path: 'relative to the root of the task', transfer },
    example: { type: 'file', ...key, seq: 2, path: 'src/main.c', transfer: 1 },
  },
  hand_back: {
    when: 'A limit of the budget was crossed: a `result` within the grace still counts. After the grace comes a `stop`.',
    fields: { reason: 'which limit, and what was spent', grace_ms: 'how long the work may take to hand back what it has' },
    example: { type: 'hand_back', ...key, seq: 3, reason: 'max_tokens 1000, spent 1020', grace_ms: 10_000 },
  },
  stop: {
    when: 'The attempt must end. The worker answers `stopped` once nothing of it runs any more.',
    fields: {
      code: '`task_cancelled`, `task_timeout`, `task_stale`, `lease_lost` or `fleet_closed`',
      reason: 'why, for people',
      grace_ms: 'how long the work may take to end by itself',
    },
    example: { type: 'stop', ...key, seq: 3, code: 'task_cancelled', reason: 'cancelled by ada', grace_ms: 10_000 },
  },
  collected: {
    when: 'The answer to an `artifact`.',
    fields: {
      report: 'the number of the report',
      artifact: 'the reference that the receipt will carry, with the size and checksum that the fleet computed',
      refused: 'why it was refused; the attempt goes on',
    },
    example: { type: 'collected', ...key, seq: 2, report: 1, artifact: { kind: 'report', path: 'report.bin', size_bytes: 10 } },
  },
}

/** The frames of both sides: what they hold, and an example of each. */
export function workerProtocolSections(): Readonly<Record<string, string>> {
  return {
    greeter: ['```javascript', readFileSync(greeter, 'utf8').trim(), '```'].join('\n'),
    'worker frames': framesOf('WorkerFrame', workerRows),
    'fleet frames': framesOf('FleetFrame', fleetRows),
  }
}

const greeter = new URL('../../examples/workers/greeter.mjs', import.meta.url)

interface Row {
  readonly when: string
  readonly fields: Readonly<Record<string, string>>
  readonly example: object
}

interface Schema {
  readonly type?: string | readonly string[]
  readonly const?: string
  readonly enum?: readonly string[]
  readonly $ref?: string
  readonly items?: Schema
  readonly anyOf?: readonly Schema[]
  readonly oneOf?: readonly Schema[]
  readonly properties?: Readonly<Record<string, Schema>>
  readonly required?: readonly string[]
}

function framesOf(name: string, rows: Readonly<Record<string, Row>>): string {
  const { oneOf = [] } = jsonSchema(name) as unknown as Schema
  return oneOf.map((frame) => frameSection(frame, rows)).join('\n\n')
}

function frameSection({ properties = {}, required = [] }: Schema, rows: Readonly<Record<string, Row>>): string {
  const type = properties['type']?.const ?? ''
  const row = rows[type]
  if (row === undefined) throw new Error(`The frame ${type} has no row in scripts/generated/worker-protocol.ts.`)
  const isOfAttempt = 'run_id' in properties
  const isNumbered = 'seq' in properties && type !== 'ack'
  const kind = isNumbered ? 'Of an attempt, numbered.' : isOfAttempt ? 'Of an attempt.' : 'Of the connection.'
  const named = Object.entries(row.fields).map(([field, words]) => {
    const schema = properties[field]
    if (schema === undefined) throw new Error(`The schema of ${type} has no field ${field}.`)
    return `| \`${field}\`${required.includes(field) ? '*' : ''} | ${typeWords(schema)} | ${words} |`
  })
  const table = named.length === 0 ? [] : ['', '| field | type | what it holds |', '|---|---|---|', ...named]
  return [`### \`${type}\``, '', `${row.when} ${kind}`, ...table, '', '```json', JSON.stringify(row.example), '```'].join('\n')
}

function typeWords(schema: Schema): string {
  if (schema.$ref !== undefined) return `\`${schema.$ref.split('/').at(-1)}\``
  if (schema.enum !== undefined) return 'text'
  const choices = (schema.anyOf ?? schema.oneOf)?.filter(({ type }) => type !== 'null')
  if (choices !== undefined) return [...new Set(choices.map(typeWords))].join(' or ')
  const type = typeof schema.type === 'string' ? schema.type : schema.type?.find((one) => one !== 'null')
  if (type === 'array') return `list of ${typeWords(schema.items ?? {})}`
  return typeNames[type ?? ''] ?? 'any JSON'
}

const typeNames: Readonly<Record<string, string>> = {
  string: 'text',
  integer: 'integer',
  number: 'number',
  boolean: 'true or false',
  object: 'object',
}
