import type { FleetAlertChannel } from '../protocol/alert.ts'
import { FleetError } from '../protocol/errors.ts'
import { describeFound } from '../protocol/problem.ts'
import type { ConcurrencyLimits } from '../engine/gates.ts'
import type { ConcurrencyLimit } from '../engine/limit-gate.ts'
import type { AlertOptions } from './alerts.ts'
import { containersProblems } from './container.ts'
import type { FleetLimits, FleetOptions } from './options.ts'
import { profileProblems } from './profiles.ts'
import type { Retention } from './retention.ts'

type Check = (value: unknown) => string | undefined

const wholeFrom =
  (least: number): Check =>
  (value) =>
    typeof value === 'number' && Number.isSafeInteger(value) && value >= least ? undefined : `expected an integer from ${least}`

const flag: Check = (value) => (typeof value === 'boolean' ? undefined : 'expected true or false')

const backoff: Check = (value) => {
  const { first, most } = (typeof value === 'object' && value !== null ? value : {}) as { first?: unknown; most?: unknown }
  const problem = wholeFrom(0)(first) ?? wholeFrom(0)(most)
  return problem === undefined ? undefined : `expected { first, most }, each an integer from 0`
}

/** One row per limit: a new one is a compile error until it has its row. */
const limitChecks: { readonly [Name in keyof FleetLimits]: Check } = {
  leaseTtlMs: wholeFrom(1),
  attemptTimeoutMs: wholeFrom(1),
  stallAfterMs: wholeFrom(1),
  closeGraceMs: wholeFrom(0),
  handBackGraceMs: wholeFrom(0),
  stopGraceMs: wholeFrom(0),
  scorerTimeoutMs: wholeFrom(1),
  commandScorerTimeoutMs: wholeFrom(1),
  secretTimeoutMs: wholeFrom(1),
  workerBackoffMs: backoff,
  alertTries: wholeFrom(1),
  alertBackoffMs: backoff,
  alertCloseGraceMs: wholeFrom(0),
  abandonedAtOnce: wholeFrom(1),
  maxLeases: wholeFrom(1),
  jitter: flag,
  keptReports: wholeFrom(0),
  snapshotAfter: wholeFrom(1),
  snapshotAtEndAfter: wholeFrom(1),
  taskSlice: wholeFrom(1),
  logBytes: wholeFrom(0),
  artifactBytes: wholeFrom(0),
  attemptBytes: wholeFrom(0),
  attemptArtifacts: wholeFrom(0),
  eventBuffer: wholeFrom(1),
}

const limitOfTable: Check = (value) => (isTable(value) ? undefined : 'expected an object of limits by name')

const concurrencyChecks: { readonly [Name in keyof ConcurrencyLimits]-?: Check } = {
  classes: limitOfTable,
  keys: limitOfTable,
  everyKey: (value) => (isTable(value) ? undefined : 'expected { atOnce, perInterval }'),
}

const perLimitChecks: { readonly [Name in keyof ConcurrencyLimit]-?: Check } = {
  atOnce: wholeFrom(1),
  perInterval: (value) => {
    const { starts, intervalMs } = isTable(value) ? value : {}
    const problem = wholeFrom(1)(starts) ?? wholeFrom(1)(intervalMs)
    return problem === undefined ? undefined : 'expected { starts, intervalMs }, each an integer from 1'
  },
}

const retentionChecks: { readonly [Name in keyof Retention]-?: Check } = { endedRuns: wholeFrom(0), maxAgeMs: wholeFrom(0) }

const callable: Check = (value) => (typeof value === 'function' ? undefined : 'expected a function')

const text: Check = (value) => (typeof value === 'string' && value !== '' ? undefined : 'expected some text')

const sinks: Check = (value) => {
  const kinds: readonly string[] = ['slack', 'webhook', 'pager_duty'] satisfies FleetAlertChannel['kind'][]
  const given = typeof value === 'object' && value !== null ? Object.entries(value) : undefined
  const wrong = given?.find(
    ([kind, sink]) => !kinds.includes(kind) || typeof (sink as { deliver?: unknown } | null)?.deliver !== 'function',
  )
  return given !== undefined && wrong === undefined ? undefined : `expected sinks by kind of channel: ${kinds.join(', ')}`
}

const alertChecks: { readonly [Name in keyof AlertOptions]-?: Check } = {
  sinks,
  allowPrivateAddresses: flag,
  allowHttp: flag,
  ca: text,
  timeoutMs: wholeFrom(1),
  pagerDutyUrl: (value) => (typeof value === 'string' && URL.canParse(value) ? undefined : 'expected a URL'),
}

/** The limits that were given, without those that are undefined. Throws `invalid_option` with everything that is wrong. */
export function checkOptions({
  alerts = {},
  limits = {},
  retention = {},
  concurrency = {},
  containers = {},
  slots,
  profiles,
  roles,
  verifier,
}: FleetOptions): Partial<FleetLimits> {
  const problems = [
    ...problemsOf('limits', limits, limitChecks),
    ...problemsOf('alerts', alerts, alertChecks),
    ...problemsOf('retention', retention, retentionChecks),
    ...concurrencyProblems(concurrency),
    ...containersProblems(containers).map((problem) => `containers.${problem}`),
    ...profileProblems({ ...(profiles !== undefined && { profiles }), ...(roles !== undefined && { roles }) }),
    ...problemsOf('', { slots, verifier }, { slots: wholeFrom(1), verifier: callable }),
  ]
  if (problems.length > 0) {
    throw new FleetError('invalid_option', `The options cannot be used:\n${problems.join('\n')}`, { details: { problems } })
  }
  return Object.fromEntries(Object.entries(limits).filter(([, value]) => value !== undefined))
}

function concurrencyProblems(concurrency: ConcurrencyLimits): string[] {
  const problems = problemsOf('concurrency', concurrency, concurrencyChecks)
  if (problems.length > 0) return problems
  const { classes = {}, keys = {}, everyKey } = concurrency
  const named = [
    ...Object.entries(classes).map(([name, limit]) => [`concurrency.classes.${name}`, limit] as const),
    ...Object.entries(keys).map(([name, limit]) => [`concurrency.keys.${name}`, limit] as const),
    ...(everyKey === undefined ? [] : [['concurrency.everyKey', everyKey] as const]),
  ]
  return named.flatMap(([path, limit]) =>
    isTable(limit)
      ? problemsOf(path, limit, perLimitChecks)
      : [`${path}: expected { atOnce, perInterval }, got ${describeFound(limit, [])}`],
  )
}

function isTable(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function problemsOf(under: string, given: object, checks: Readonly<Record<string, Check>>): string[] {
  return Object.entries(given).flatMap(([name, value]: [string, unknown]) => {
    const path = under === '' ? name : `${under}.${name}`
    const check = Object.hasOwn(checks, name) ? checks[name] : undefined
    if (check === undefined) return [`${path}: there is no such option; there are ${Object.keys(checks).join(', ')}`]
    const problem = value === undefined ? undefined : check(value)
    return problem === undefined ? [] : [`${path}: ${problem}, got ${String(value)}`]
  })
}
