import { describe, expect, test } from 'vitest'
import { FleetRunSpec, parseTasks } from '../../../src/protocol/index.ts'
import { fullTask, minimalTask } from './samples.ts'

const run = (fields: object) => FleetRunSpec.safeParse({ name: 'R', tasks: [minimalTask], ...fields })

function lines(result: { success: boolean; error?: Error }): string[] {
  return result.success ? [] : result.error!.message.split('\n')
}

describe('FleetRunSpec', () => {
  test('WI1 a run of several tasks keeps their order, labels and scorers (T1)', () => {
    const tasks = ['c', 'a', 'b'].map((id) => ({ ...minimalTask, id, scorer: { kind: 'exit_code' } }))
    const spec = FleetRunSpec.parse({ name: 'R', tasks, labels: { team: 'a' } })
    expect(spec.tasks.map(({ id, scorer }) => [id, scorer])).toEqual(['c', 'a', 'b'].map((id) => [id, { kind: 'exit_code' }]))
    expect(spec.labels).toEqual({ team: 'a' })
  })

  test('RU3 a run of no tasks is refused unless it is open', () => {
    const refused = ['tasks: expected at least one task, or `open: true` beside it, got none']
    expect(lines(run({ tasks: [] }))).toEqual(refused)
    expect(lines(run({ tasks: undefined }))).toEqual(refused)
    expect(lines(run({ tasks: [], open: false }))).toEqual(refused)
    expect(run({ tasks: [], open: true }).success).toBe(true)
    expect(lines(run({ tasks: 'none' }))).toEqual(['tasks: expected a list, got "none"'])
  })

  test('SC5 the dependencies of tasks are checked', () => {
    const tasks = [
      { ...minimalTask, id: 'a', depends_on: ['b'] },
      { ...minimalTask, id: 'b', depends_on: ['a', 'nobody'] },
    ]
    expect(lines(run({ tasks }))).toEqual([
      'tasks[1].depends_on[1]: expected the id of a task of the run, got "nobody"',
      'tasks[0].depends_on: expected no cycle, got a → b → a',
    ])
  })

  test('WI6 ids of tasks and of workers stand once', () => {
    const worker = { id: 'w', name: 'W', host: { kind: 'local' } }
    expect(lines(run({ tasks: [minimalTask, minimalTask], worker_specs: [worker, worker] }))).toEqual([
      'tasks[1].id: expected an id of its own, got "build" again',
      'worker_specs[1].id: expected an id of its own, got "w" again',
    ])
  })

  test('WI6 when a run names roles, the role of each task is one of them', () => {
    const tasks = [minimalTask, { ...fullTask, depends_on: [] }]
    expect(run({ tasks, roles: ['builder', 'tester'] }).success).toBe(true)
    expect(run({ tasks, roles: null }).success).toBe(true)
    expect(lines(run({ tasks, roles: ['tester', 'cook'] }))).toEqual([
      'tasks[1].worker.role: expected one of the run\'s roles tester, cook, got "builder"',
    ])
    expect(lines(run({ tasks, roles: [] }))).toEqual([
      'tasks[1].worker.role: expected no role, as the run has none, got "builder"',
    ])
  })
})

describe('parseTasks', () => {
  test('RU8 added tasks are read like those of a new run', () => {
    const added = parseTasks([{ id: 'b', name: 'B', instructions: 'x', depends_on: ['a'] }], { knownIds: new Set(['a']) })
    expect(added).toStrictEqual([{ ...minimalTask, id: 'b', name: 'B', instructions: 'x', depends_on: ['a'] }])
    expect(parseTasks([])).toEqual([])
  })

  test('RU8 WI6 all problems of added tasks come in one error, also between them and the tasks of the run', () => {
    const tasks = [
      { ...minimalTask, id: 'a' },
      { ...minimalTask, id: 'b', depends_on: ['c', 'a', 'z'], worker: { role: 'cook' } },
      { ...minimalTask, id: 'c', depends_on: ['b'], name: '' },
    ]
    expect(() => parseTasks(tasks, { knownIds: new Set(['a']), roles: ['builder'] })).toThrow(
      [
        'tasks[2].name: expected a name of 1 to 256 bytes on one printable line, got ""',
        'tasks[0].id: expected an id of its own, got "a" again',
        'tasks[1].depends_on[2]: expected the id of a task of the run, got "z"',
        'tasks[1].depends_on: expected no cycle, got b → c → b',
        'tasks[1].worker.role: expected one of the run\'s roles builder, got "cook"',
      ].join('\n'),
    )
  })
})
