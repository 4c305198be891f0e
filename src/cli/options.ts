import { FleetError } from '../index.ts'
import { alertEventClasses } from '../protocol/index.ts'
import type { FleetAlertEventClass } from '../protocol/index.ts'

/** What the options of a command line say, with the defaults filled in. */
export interface Options {
  readonly folder: string
  readonly json: boolean
  readonly help: boolean
  readonly maxWorkers: number | undefined
  readonly workers: readonly string[]
  readonly secrets: readonly string[]
  readonly strict: boolean
  readonly awaitVerdicts: boolean
  readonly workspace: string
  readonly key: string | undefined
  readonly takeOver: boolean
  readonly record: boolean
  readonly graceMs: number
  readonly attempt: number | undefined
  readonly follow: boolean
  readonly tags: readonly string[] | undefined
  readonly public: boolean
  readonly after: string | undefined
  readonly by: string | undefined
  readonly why: string | undefined
  readonly head: string | undefined
  readonly repair: boolean
  readonly classes: readonly FleetAlertEventClass[]
}

/** An option as a person writes it. Without `value` it is a switch. */
export interface OptionRow {
  readonly value?: string
  readonly many?: boolean
  readonly meaning: string
}

export const optionRows = {
  folder: { value: 'DIR', meaning: 'the store; default .flotilla' },
  'max-workers': { value: 'N', meaning: 'tasks at a time; default 4' },
  worker: { value: 'MODULE', many: true, meaning: 'a module that exports `handlers`, `workers`, or both; may be repeated' },
  secrets: { value: 'DIR', many: true, meaning: 'a folder of secrets, one file each; may be repeated' },
  workspace: { value: 'DIR', meaning: 'the folder that tasks work in; default the current one' },
  key: { value: 'KEY', meaning: 'run this only once: the same key gives the same run again' },
  strict: { meaning: 'a success that nothing checked ends with 3' },
  'await-verdicts': { meaning: 'wait for verdicts that are given from elsewhere' },
  grace: { value: 'SECONDS', meaning: 'how long running tasks may go on after Ctrl-C; default 10' },
  'take-over': { meaning: 'overrule an owner of the store that cannot be checked from here' },
  record: { meaning: 'write down everything that comes in, to play it again in a test' },
  attempt: { value: 'N', meaning: 'which attempt; default the latest' },
  follow: { meaning: 'go on until the run has ended' },
  tag: { value: 'TAG', many: true, meaning: 'only tasks with this tag; may be repeated, then with one of them' },
  public: { meaning: 'show only what may leave this host' },
  after: { value: 'CURSOR', meaning: 'begin after this event' },
  by: { value: 'NAME', meaning: 'who says so; default the user' },
  why: { value: 'TEXT', meaning: 'the reason, kept with it' },
  head: { value: 'HASH', meaning: 'the hash of a line, kept elsewhere, that must be part of the history' },
  repair: { meaning: 'mend what can be mended, and say what was lost' },
  class: { value: 'CLASS', many: true, meaning: 'only alerts of this class; may be repeated' },
  json: { meaning: 'NDJSON, a summary object last' },
  help: { meaning: 'what the verb does' },
} as const satisfies Record<string, OptionRow>

/** The name of an option. */
export type OptionName = keyof typeof optionRows

/** What was written, by name: texts in order, or true for switches. */
export type RawOptions = Readonly<Partial<Record<OptionName, readonly string[]>>>

/** Gives the options their types. Throws `usage` with everything that is wrong. */
export function readOptions(raw: RawOptions): Options {
  const problems: string[] = []
  const last = (name: OptionName): string | undefined => raw[name]?.at(-1)
  const filled = (name: OptionName): string | undefined => {
    const text = last(name)
    if (text?.trim() === '') problems.push(`--${name}: expected some text, got none`)
    return text
  }
  const whole = (name: OptionName): number | undefined => {
    const text = last(name)
    if (text === undefined || (/^\d{1,9}$/.test(text) && Number(text) > 0)) return text === undefined ? undefined : Number(text)
    problems.push(`--${name}: expected a whole number from 1, got ${text}`)
    return undefined
  }
  const hash = (name: OptionName): string | undefined => {
    const text = last(name)
    if (text !== undefined && !/^[0-9a-f]{64}$/.test(text)) problems.push(`--${name}: expected 64 hex digits, got ${text}`)
    return text
  }
  const classes = (raw.class ?? []).flatMap((text): FleetAlertEventClass[] => {
    const known = alertEventClasses.find((name) => name === text)
    if (known === undefined) problems.push(`--class: expected one of ${alertEventClasses.join(', ')}, got ${text}`)
    return known === undefined ? [] : [known]
  })
  const grace = last('grace')
  if (grace !== undefined && !/^\d{1,6}(\.\d+)?$/.test(grace))
    problems.push(`--grace: expected a number of seconds, got ${grace}`)
  const options: Options = {
    folder: filled('folder') ?? '.flotilla',
    json: raw.json !== undefined,
    help: raw.help !== undefined,
    maxWorkers: whole('max-workers'),
    workers: raw.worker ?? [],
    secrets: raw.secrets ?? [],
    strict: raw.strict !== undefined,
    awaitVerdicts: raw['await-verdicts'] !== undefined,
    workspace: filled('workspace') ?? '.',
    key: filled('key'),
    takeOver: raw['take-over'] !== undefined,
    record: raw.record !== undefined,
    graceMs: grace === undefined ? 10_000 : Number(grace) * 1000,
    attempt: whole('attempt'),
    follow: raw.follow !== undefined,
    tags: raw.tag,
    public: raw.public !== undefined,
    after: filled('after'),
    by: filled('by'),
    why: filled('why'),
    head: hash('head'),
    repair: raw.repair !== undefined,
    classes,
  }
  if (problems.length > 0) throw new FleetError('usage', problems.join('\n'), { details: { problems } })
  return options
}
