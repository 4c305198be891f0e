import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { dependencyProblems, formatPath, type DependentTask } from '../../../src/protocol/index.ts'

const graph = (edges: Readonly<Record<string, readonly string[]>>): DependentTask[] =>
  Object.entries(edges).map(([id, depends_on]) => ({ id, depends_on }))

function told(tasks: readonly DependentTask[], knownIds?: ReadonlySet<string>): string[] {
  return dependencyProblems(tasks, knownIds).map(
    ({ path, expected, got }) => `${formatPath(path)}: expected ${expected}, got ${got}`,
  )
}

describe('SC5', () => {
  test('SC5 chains, diamonds and forests have no problem', () => {
    expect(told(graph({ a: [], b: ['a'], c: ['a'], d: ['b', 'c'], e: [] }))).toEqual([])
    expect(told(graph({ d: ['b', 'c'], c: ['a'], b: ['a'], a: [] }))).toEqual([])
  })

  test('SC5 a cycle is named with every task on it, and only with those', () => {
    expect(told(graph({ x: ['a'], a: ['b'], b: ['c'], c: ['a'] }))).toEqual([
      'tasks[1].depends_on: expected no cycle, got a → b → c → a',
    ])
    expect(told(graph({ a: ['b'], b: ['a'], c: ['d'], d: ['c'] }))).toEqual([
      'tasks[0].depends_on: expected no cycle, got a → b → a',
      'tasks[2].depends_on: expected no cycle, got c → d → c',
    ])
  })

  test('SC5 a dependency on oneself or on nobody is named', () => {
    expect(told(graph({ a: ['a'], b: ['nobody'] }))).toEqual([
      'tasks[0].depends_on[0]: expected the id of another task, got "a" itself',
      'tasks[1].depends_on[0]: expected the id of a task of the run, got "nobody"',
    ])
  })

  test('SC5 an id that stands twice, or is known already, is named', () => {
    const tasks = [...graph({ a: [], b: [] }), ...graph({ a: [], old: ['b'] })]
    expect(told(tasks, new Set(['old']))).toEqual([
      'tasks[2].id: expected an id of its own, got "a" again',
      'tasks[3].id: expected an id of its own, got "old" again',
    ])
  })

  test('SC5 new tasks may depend on known ones', () => {
    expect(told(graph({ b: ['a'] }), new Set(['a']))).toEqual([])
    expect(told(graph({ b: ['a'] }))).toEqual(['tasks[0].depends_on[0]: expected the id of a task of the run, got "a"'])
  })

  test('SC5 ids like the names of members of objects are ids', () => {
    expect(told(graph({ constructor: [], toString: ['constructor'] }))).toEqual([])
    expect(told(graph({ a: ['hasOwnProperty'] }))).toHaveLength(1)
  })

  test('SC5 tasks that are unsound are passed over', () => {
    expect(
      told([
        { id: undefined, depends_on: [undefined, 'a'] },
        { id: 'a', depends_on: [] },
      ]),
    ).toEqual([])
  })

  test('SC5 a graph is refused for a cycle exactly when it cannot be sorted', () => {
    const edges = fc.array(fc.tuple(fc.nat(7), fc.nat(7)), { maxLength: 14 })
    fc.assert(
      fc.property(edges, (pairs) => {
        const tasks = Array.from({ length: 8 }, (_, n) => ({
          id: `t${n}`,
          depends_on: [...new Set(pairs.filter(([from, to]) => from === n && to !== n).map(([, to]) => `t${to}`))],
        }))
        const cycles = dependencyProblems(tasks)
        expect(cycles.length > 0).toBe(!canBeSorted(tasks))
        for (const { got } of cycles) {
          const ids = got.split(' → ')
          expect(ids[0]).toBe(ids.at(-1))
          for (const [index, id] of ids.slice(0, -1).entries()) {
            expect(tasks.find((task) => task.id === id)!.depends_on).toContain(ids[index + 1])
          }
        }
      }),
      { numRuns: 500 },
    )
  })

  test('SC5 diamonds upon diamonds are looked at once', () => {
    const layers = Array.from({ length: 60 }, (_, n) =>
      ['l', 'r'].map((side) => ({ id: `${side}${n}`, depends_on: n === 0 ? [] : [`l${n - 1}`, `r${n - 1}`] })),
    )
    expect(dependencyProblems(layers.flat().reverse())).toEqual([])
  })

  test('SC5 a chain and a ring of a hundred thousand tasks do not exhaust the stack', () => {
    const chain = Array.from({ length: 100_000 }, (_, n) => ({ id: `t${n}`, depends_on: n === 99_999 ? [] : [`t${n + 1}`] }))
    expect(dependencyProblems(chain)).toEqual([])
    const ring = chain.with(-1, { id: 't99999', depends_on: ['t0'] })
    expect(dependencyProblems(ring).map(({ path }) => path)).toEqual([['tasks', 0, 'depends_on']])
  })
})

/** Takes away what depends on nothing that is left, until nothing changes. */
function canBeSorted(tasks: readonly { readonly id: string; readonly depends_on: readonly string[] }[]): boolean {
  let left = tasks
  for (;;) {
    const ids = new Set(left.map(({ id }) => id))
    const next = left.filter(({ depends_on }) => depends_on.some((id) => ids.has(id)))
    if (next.length === left.length) return next.length === 0
    left = next
  }
}
