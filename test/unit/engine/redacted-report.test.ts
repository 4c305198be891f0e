import { expect, test } from 'vitest'
import type { Core } from '../../../src/engine/core.ts'
import type { AttemptPresence } from '../../../src/engine/presence.ts'
import {
  knownSecrets,
  redactArtifact,
  redactLog,
  redactReport,
  redactVerdict,
  restOfLog,
  withoutSecrets,
} from '../../../src/engine/redacted-report.ts'
import { createSecretsInUse } from '../../../src/security/secrets-in-use.ts'
import type { AttemptMessage } from '../../../src/protocol/wire.ts'

const value = 'correct-horse-battery'
const cover = '<secret:TOKEN>'
const at = { run_id: 'r', task_id: 'a', attempt: 1, seq: 4 }

function core(secrets: Record<string, string> = { TOKEN: value }): Core {
  const inUse = createSecretsInUse()
  if (Object.keys(secrets).length > 0) inUse.use(knownSecrets(secrets))
  return { inUse } as Partial<Core> as Core
}
const covered = (message: object) => redactReport(core(), { ...at, ...message } as AttemptMessage)

test('SE5 each message of a worker is covered wherever it says something, and stays as it is elsewhere', () => {
  const said: [object, object][] = [
    [
      { type: 'accepted', process: { group: 7, started: value } },
      { type: 'accepted', process: { group: 7, started: cover } },
    ],
    [
      { type: 'route', route: { provider_id: value, protocol: 'h' } },
      { type: 'route', route: { provider_id: cover, protocol: 'h' } },
    ],
    [
      { type: 'artifact', report: 1, kind: value, path: value, mime_type: value },
      // The path finds the file; it is covered where the artifact is recorded.
      { type: 'artifact', report: 1, kind: cover, path: value, mime_type: cover },
    ],
    [
      { type: 'result', exit_code: 0, summary: `at ${value}.`, output: { [value]: [value] } },
      { type: 'result', exit_code: 0, summary: `at ${cover}.`, output: { [cover]: [cover] } },
    ],
    [
      { type: 'failed', failure_kind: 'task', reason: value },
      { type: 'failed', failure_kind: 'task', reason: cover },
    ],
  ]
  for (const [message, after] of said) expect(covered(message)).toStrictEqual({ ...at, ...after })
})

test('SE5 a message that leaves something out does not get it', () => {
  const said = [
    ...[{ type: 'accepted' }, { type: 'heartbeat' }, { type: 'stopped' }, { type: 'result' }],
    ...[
      { type: 'usage', input_tokens: 1, output_tokens: 2 },
      { type: 'artifact', report: 1, kind: 'log', path: 'x' },
    ],
    ...[
      { type: 'log', text: value },
      { type: 'result', output: null },
      { type: 'result', summary: '' },
    ],
  ]
  for (const message of said) expect(covered(message)).toStrictEqual({ ...at, ...message })
})

test('SE5 progress is covered in all of its words, and in names that the protocol does not know; those that it knows stay', () => {
  const progress = (event: object) => (covered({ type: 'progress', event }) as { event: object }).event
  const names = { model: value, tool: value, call_id: value, workflow_run_id: value, event: { a: value } }
  const all = { model: cover, tool: cover, call_id: cover, workflow_run_id: cover, event: { a: cover } }
  expect(progress({ state: 'running_tool', ...names, [value]: 5 })).toStrictEqual({ state: 'running_tool', ...all, [cover]: 5 })
  // Secrets that are called like a field of the protocol do not take its name away.
  for (const name of Object.keys(names)) {
    const named = { ...at, type: 'progress', event: { state: 'model_wait', [name]: 'x' } } as unknown as AttemptMessage
    expect(redactReport(core({ S: name }), named)).toMatchObject({ event: { [name]: 'x' } })
  }
})

test('SE5 while no secret is in use everything goes through as it came', () => {
  const none = core({})
  const message: AttemptMessage = { ...at, type: 'failed', failure_kind: 'task', reason: value }
  expect(redactReport(none, message)).toBe(message)
  const artifact = { kind: 'log', path: value }
  expect(redactArtifact(none, artifact)).toBe(artifact)
  const verdict = { result: 'pass', score: { value: 1, notes: value }, evidence: value } as const
  expect(redactVerdict(none, verdict)).toBe(verdict)
  expect(withoutSecrets(none, value)).toBe(value)
  const presence = {} as AttemptPresence
  expect(redactLog(none, presence, value)).toBe(value)
  expect(restOfLog(presence)).toBe('')
})

test('SE5 the name of an artifact, the words of a verdict and any other text are covered', () => {
  expect(redactArtifact(core(), { kind: 'log', path: `a/${value}`, size_bytes: 3 })).toStrictEqual({
    ...{ kind: 'log', path: `a/${cover}`, size_bytes: 3 },
  })
  expect(withoutSecrets(core(), `It is ${value}.`)).toBe(`It is ${cover}.`)
  const verdict = { result: 'fail', failureKind: 'task', score: { value: 1, max: 2 }, evidence: value } as const
  expect(redactVerdict(core(), verdict)).toStrictEqual({ ...verdict, evidence: cover })
  expect(redactVerdict(core(), { ...verdict, score: { value: 1, notes: value } })).toStrictEqual({
    ...{ ...verdict, evidence: cover, score: { value: 1, notes: cover } },
  })
})

test('SE5 a log is covered over its messages: what may begin a secret is held back, and comes with what follows, or at the end', () => {
  const bench = core()
  const presence = {} as AttemptPresence
  const written = [`a ${value.slice(0, 9)}`, value.slice(9), ` b ${value.slice(0, 4)}`].map((text) =>
    redactLog(bench, presence, text),
  )
  expect(written.join('|')).not.toContain(value.slice(0, 9))
  expect([...written, restOfLog(presence)].join('')).toBe(`a ${cover} b ${value.slice(0, 4)}`)
  // Another attempt's log goes its own way.
  expect(redactLog(bench, {} as AttemptPresence, value.slice(4))).not.toContain(cover)
})

test('SE5 a log goes on when another secret comes into use: nothing of it is lost, nor said twice, and both are covered', () => {
  const bench = core()
  const presence = {} as AttemptPresence
  const first = redactLog(bench, presence, `\uFEFFone ${value.slice(0, 9)}`)
  bench.inUse.use(knownSecrets({ OTHER: 'second-secret-value' }))
  const second = redactLog(bench, presence, `${value.slice(9)} two second-secret-value three`)
  expect(first + second + restOfLog(presence)).toBe(`\uFEFFone ${cover} two <secret:OTHER> three`)
})
