import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  FleetAlertPolicy,
  FleetError,
  FleetResolvedRoute,
  FleetRun,
  FleetRunSpec,
  FleetRunStatus,
  FleetSecretRef,
  FleetSecurityPolicy,
  FleetTaskSpec,
  FleetWorkerAuth,
  FleetWorkerEvent,
  formatPath,
  invalidDocument,
  type Json,
} from '../../../src/protocol/index.ts'
import { describeFound, quote } from '../../../src/protocol/problem.ts'
import { fullTask, minimalTask, samples } from './samples.ts'
import { spoilings } from './spoilings.ts'

function errorOf(action: () => unknown): FleetError {
  try {
    action()
  } catch (error) {
    if (FleetError.is(error)) return error
    throw error
  }
  throw new Error('nothing was thrown')
}

function linesOf(action: () => unknown): string[] {
  return errorOf(action).message.split('\n')
}

describe('WI6', () => {
  test('WI6 an error names the path, what was expected and what was found', () => {
    const tasks = [0, 1, 2].map((n) => ({ ...minimalTask, id: `t${n}` }))
    const error = errorOf(() =>
      FleetRunSpec.parse({ name: 'R', tasks: [...tasks, { ...minimalTask, retry_policy: { max_attempts: -1 } }] }),
    )
    expect(error.code).toBe('invalid_document')
    expect(error.retryable).toBe(false)
    expect(error.message).toBe('tasks[3].retry_policy.max_attempts: expected an integer from 0 to 4294967295, got -1')
    expect(error.details).toEqual({
      problems: [{ path: 'tasks[3].retry_policy.max_attempts', expected: 'an integer from 0 to 4294967295', got: '-1' }],
    })
  })

  test('WI6 all problems of a document come in one error: shapes, aliases, keys, and what only the whole shows', () => {
    const document = {
      name: '',
      roles: ['builder'],
      tasks: [
        { ...minimalTask, id: 'a', depends_on: ['b'], worker: { profile: 'x', agent_profile: 'y', role: 'cook' }, tags: null },
        { ...minimalTask, id: 'b', depends_on: ['a', 'b', 'zz'], metadata: { priority: 1.5, command: [] } },
        { ...minimalTask, id: 'a', scorer: { kind: 'nope' } },
        JSON.parse('{"id":"c","instructions":"x","metadata":{"a b":{"__proto__":1}}}') as Json,
      ],
      workers: [
        { id: 'w', name: 'W', host: { kind: 'boat' } },
        { id: 'w', name: 'W', host: [] },
      ],
    }
    expect(linesOf(() => FleetRunSpec.parse(document))).toEqual([
      'tasks[3].metadata["a b"].__proto__: expected a document without the key `__proto__`, got one',
      'name: expected a name of 1 to 256 bytes on one printable line, got ""',
      'tasks[0].worker.profile: expected one of "agent_profile" and its alias "profile", got both',
      'tasks[0].tags: expected a list, got null',
      'tasks[1].metadata.priority: expected an integer from -2147483648 to 2147483647, got 1.5',
      'tasks[1].metadata.command: expected a list of at least 1, got a list of 0',
      'tasks[2].scorer.kind: expected one of exit_code, file_exists, regex_match, json_path, command, code_whale_verifier_prompt, manual, got "nope"',
      'tasks[3].name: expected a name of 1 to 256 bytes on one printable line, got nothing',
      'worker_specs[0].host.kind: expected one of local, ssh, docker, got "boat"',
      'worker_specs[1].host: expected an object, got an empty list',
      'tasks[2].id: expected an id of its own, got "a" again',
      'tasks[1].depends_on[1]: expected the id of another task, got "b" itself',
      'tasks[1].depends_on[2]: expected the id of a task of the run, got "zz"',
      'tasks[0].depends_on: expected no cycle, got a → b → a',
      'tasks[0].worker.role: expected one of the run\'s roles builder, got "cook"',
      'worker_specs[1].id: expected an id of its own, got "w" again',
    ])
  })

  test('WI6 no problem of any field hides a cycle', () => {
    const full = {
      id: 'a',
      name: 'R',
      tasks: [
        { ...fullTask, depends_on: ['b'] },
        { ...minimalTask, id: 'b', depends_on: [fullTask.id] },
      ],
    }
    const cycle = `tasks[0].depends_on: expected no cycle, got ${fullTask.id} → b → ${fullTask.id}`
    let refused = 0
    for (const [path, spoilt] of spoilings(full)) {
      if (/^\["tasks",\d,"(?:id|depends_on)"|^\["tasks"(?:,\d)?\]$/.test(path)) continue
      const lines = linesOf(() => FleetRunSpec.parse(spoilt))
      expect({ path, lines }).toEqual({ path, lines: expect.arrayContaining([cycle]) })
      if (lines.length > 1) refused++
    }
    expect(refused).toBeGreaterThan(80)
  })

  test('WI6 a problem of the whole document is named by its type', () => {
    expect(linesOf(() => FleetRunStatus.parse('done'))).toEqual([
      'FleetRunStatus: expected one of pending, queued, running, paused, completed, failed, cancelled, got "done"',
    ])
    expect(linesOf(() => FleetTaskSpec.parse([]))).toEqual(['FleetTaskSpec: expected an object, got an empty list'])
    expect(linesOf(() => FleetTaskSpec.parse(undefined))).toEqual(['FleetTaskSpec: expected an object, got nothing'])
    expect(errorOf(() => FleetTaskSpec.parse(1)).details).toEqual({ problems: [{ path: '', expected: 'an object', got: '1' }] })
  })

  test('WI6 a kind that is missing, misspelt, inherited or no text is told', () => {
    for (const [auth, got] of [
      [{}, 'nothing'],
      [{ method: 'Token' }, '"Token"'],
      [{ method: 'constructor' }, '"constructor"'],
      [{ method: ['token'] }, 'a list'],
      [{ method: null }, 'null'],
    ] as const) {
      expect(linesOf(() => FleetWorkerAuth.parse(auth))).toEqual([
        `method: expected one of none, ssh_key, token, mtls, got ${got}`,
      ])
    }
    expect(linesOf(() => FleetWorkerEvent.parse({}))[0]).toMatch(/^state: expected one of queued, leased, .*, got nothing$/)
  })

  test('WI6 each problem stands once', () => {
    const lines = linesOf(() => FleetRun.parse({}))
    expect(new Set(lines).size).toBe(lines.length)
    expect(lines.map((line) => line.split(':')[0])).toEqual(['id', 'name', 'status', 'created_at'])
  })

  test('WI6 what cannot be read at all is told with its path, and once', () => {
    class Task {
      id = 'a'
    }
    const cyclic: Record<string, unknown> = {}
    cyclic['self'] = cyclic
    const lines = linesOf(() =>
      FleetRunSpec.parse({
        name: () => 'R',
        tasks: [new Task(), new Map(), { ...minimalTask, input: { a: [1n, undefined, new Date(0)], cyclic } }],
      }),
    )
    expect(lines).toEqual([
      'name: expected a JSON value, got a function',
      'tasks[0]: expected a JSON value, got an instance of Task',
      'tasks[1]: expected a JSON value, got an instance of Map',
      'tasks[2].input.a[0]: expected a JSON value, got a bigint',
      'tasks[2].input.a[1]: expected a JSON value, got nothing',
      'tasks[2].input.a[2]: expected a JSON value, got an instance of Date',
      'tasks[2].input.cyclic.self: expected a JSON value, got a cycle',
    ])
  })

  test('WI6 any spoilt document is refused with paths, or read', () => {
    const documents = samples.flatMap(({ contract, canonical }) => canonical.map((document) => ({ contract, document })))
    fc.assert(
      fc.property(fc.constantFrom(...documents), fc.nat(), fc.jsonValue({ maxDepth: 2 }), ({ contract, document }, at, spoil) => {
        const all = [...spoilings(document, spoil)]
        const [, spoilt] = all.length === 0 ? ['', spoil] : all[at % all.length]!
        const result = contract.safeParse(spoilt)
        if (result.success) {
          const written = JSON.stringify(contract.parse(spoilt))
          expect(JSON.stringify(contract.parse(JSON.parse(written)))).toBe(written)
        } else {
          const error = errorOf(() => contract.parse(spoilt))
          expect(error.code).toBe('invalid_document')
          for (const line of error.message.split('\n')) expect(line).toMatch(/^.+: expected .+, got .+$/)
        }
      }),
      { numRuns: 1_000 },
    )
  })

  test('WI6 a path names keys that are no identifiers in brackets', () => {
    expect(formatPath(['tasks', 3, 'id'])).toBe('tasks[3].id')
    expect(formatPath([0, 'id'])).toBe('[0].id')
    expect(formatPath(['metadata', 'a b', 'c"d', 'é', ''])).toBe('metadata["a b"]["c\\"d"]["é"][""]')
    expect(formatPath([])).toBe('')
  })

  test('WI6 what was found is told in few words on one printable line', () => {
    expect([undefined, null, [], [1], {}, true, 1.5, 'a'].map((value) => describeFound(value, []))).toEqual([
      'nothing',
      'null',
      'an empty list',
      'a list',
      'an object',
      'true',
      '1.5',
      '"a"',
    ])
    expect(quote('x'.repeat(100))).toBe(`"${'x'.repeat(80)}…"`)
    expect(quote('a\u001b[31m\u009b\u202e\u2028"')).toBe('"a\\u001b[31m\\u009b\\u202e\\u2028\\""')
  })

  test('WI6 problems of any origin make one error', () => {
    const error = invalidDocument('the file', [
      { path: [], expected: 'a', got: 'b' },
      { path: ['x', 1], expected: 'c', got: 'd' },
    ])
    expect(error.message).toBe('the file: expected a, got b\nx[1]: expected c, got d')
    expect(error.details['problems']).toHaveLength(2)
  })
})

describe('SE5', () => {
  test('SE5 text that may be a secret is not repeated in an error', () => {
    const secret = 'hunter2 hunter2='
    const refusals = [
      () => FleetTaskSpec.parse({ ...minimalTask, worker: { model: secret } }),
      () => FleetSecretRef.parse({ key: 'K', source: { key: secret } }),
      () => FleetSecurityPolicy.parse({ allowed_secrets: secret }),
      () => FleetAlertPolicy.parse({ channels: [{ kind: 'slack', url: [secret], secret: { key: '', value: secret } }] }),
      () => FleetWorkerAuth.parse({ method: 'token', token_ref: [secret] }),
      () => FleetResolvedRoute.parse({ provider_id: `https://u:${secret}@host`, source: `token=${secret}` }),
    ]
    for (const refusal of refusals) {
      const { message, details } = errorOf(refusal)
      expect(message).toContain(': expected ')
      expect(message + JSON.stringify(details)).not.toContain('hunter2')
    }
  })
})
