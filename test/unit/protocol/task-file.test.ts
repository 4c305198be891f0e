import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { FleetError, parseTaskDocument } from '../../../src/protocol/index.ts'
import { fullTask, minimalTask } from './samples.ts'

const parse = (value: unknown) => parseTaskDocument(value, { stem: 'nightly' })
const task = { id: 'a', name: 'A', instructions: 'x' }

function lines(value: unknown): string[] {
  try {
    parse(value)
  } catch (error) {
    if (FleetError.is(error, 'invalid_document')) return error.message.split('\n')
    throw error
  }
  return []
}

describe('task files', () => {
  test('WI1 a document, a list of tasks and one bare task give the same run (T1)', () => {
    const run = parse({ name: 'nightly', tasks: [task] })
    expect(run).toStrictEqual({ name: 'nightly', tasks: [{ ...minimalTask, ...task }], worker_specs: [], labels: {} })
    expect(parse([task])).toStrictEqual(run)
    expect(parse(task)).toStrictEqual(run)
  })

  test('WI1 a document may have all that a run may have (T1)', () => {
    const document = {
      id: 'r1',
      name: 'All',
      labels: { team: 'a' },
      security_policy: {},
      workers: [{ id: 'w', name: 'W', host: { kind: 'local' } }],
      tasks: [minimalTask, fullTask],
      target: 'this_computer',
      workflow: { id: 'wf' },
      roles: ['builder'],
      max_workers: 2,
      budget: { max_seconds: 1 },
      note: 'kept',
    }
    const run = parse(document)
    expect(run.tasks).toEqual([minimalTask, fullTask])
    expect(run.worker_specs.map(({ id }) => id)).toEqual(['w'])
    expect(run).toMatchObject({ id: 'r1', roles: ['builder'], max_workers: 2, note: 'kept' })
  })

  test('WI3 a missing, null or empty name takes the stem of the file, and a blank stem has a name too', () => {
    for (const name of [undefined, null, '']) expect(parse({ name, tasks: [task] }).name).toBe('nightly')
    expect(parse({ name: 'Own', tasks: [task] }).name).toBe('Own')
    expect(parseTaskDocument([task], { stem: ' ' }).name).toBe('fleet-run')
    expect(lines({ name: '  ', tasks: [task] })).toEqual([
      'name: expected a name of 1 to 256 bytes on one printable line, got "  "',
    ])
  })

  test('WI6 paths are those of the file, whatever its form', () => {
    const spoilt = { ...task, retry_policy: { max_attempts: -1 } }
    const problem = 'retry_policy.max_attempts: expected an integer from 0 to 4294967295, got -1'
    expect(lines({ tasks: [task, { ...spoilt, id: 'b' }] })).toEqual([`tasks[1].${problem}`])
    expect(lines([task, { ...spoilt, id: 'b' }])).toEqual([`[1].${problem}`])
    expect(lines(spoilt)).toEqual([problem])
    expect(lines({ ...task, depends_on: ['a'] })).toEqual(['depends_on[0]: expected the id of another task, got "a" itself'])
  })

  test('WI6 a bare task is known by its id or instructions, and told what it lacks', () => {
    expect(lines({ id: 'a' })).toEqual([
      'name: expected a name of 1 to 256 bytes on one printable line, got nothing',
      'instructions: expected a non-blank string, got nothing',
    ])
    expect(lines({ instructions: 'x', name: 'A' })).toEqual([
      'id: expected 1 to 128 characters of A-Z a-z 0-9 . _ -, not "." or "..", got nothing',
    ])
  })

  test('RU3 a file without tasks is refused, unless its run is open', () => {
    const none = 'expected at least one task, or `open: true` beside it, got none'
    expect(lines({})).toEqual([`tasks: ${none}`])
    expect(lines({ tasks: [] })).toEqual([`tasks: ${none}`])
    expect(lines([])).toEqual([`the document: ${none}`])
    expect(parse({ id: 'r1', open: true }).tasks).toEqual([])
  })

  test('WI6 what is no object and no list is refused as a whole', () => {
    for (const value of [null, 1, 'tasks', true, undefined])
      expect(lines(value)).toEqual([expect.stringMatching(/^the document: expected an object, got /)])
  })

  test('WI7 a key __proto__ is refused in every form', () => {
    const spoilt: unknown = JSON.parse(JSON.stringify(task).replace('{', '{"__proto__":{},'))
    const problem = 'expected a document without the key `__proto__`, got one'
    expect(lines({ tasks: [spoilt] })).toEqual([`tasks[0].__proto__: ${problem}`])
    expect(lines([spoilt])).toEqual([`[0].__proto__: ${problem}`])
    expect(lines(spoilt)).toEqual([`__proto__: ${problem}`])
    expect(lines(JSON.parse(`{"__proto__":[],"tasks":[${JSON.stringify(task)}]}`))).toEqual([`__proto__: ${problem}`])
  })

  test('WI6 any JSON is read, or refused with lines that have a path', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        for (const line of lines(value)) expect(line).toMatch(/^.+: expected .+, got .+$/)
      }),
      { numRuns: 300 },
    )
  })
})
