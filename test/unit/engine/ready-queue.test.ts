import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createGates } from '../../../src/engine/gates.ts'
import type { Gates } from '../../../src/engine/gates.ts'
import { createReadyQueue } from '../../../src/engine/ready-queue.ts'
import { createRunState, createTaskState } from '../../../src/engine/state.ts'
import type { TaskState } from '../../../src/engine/state.ts'
import { order, ticketOf } from '../../../src/engine/ticket.ts'
import { FleetTaskSpec } from '../../../src/protocol/task.ts'

const header = { id: 'r', name: 'r', short: 's', labels: {}, worker_specs: [], open: false, createdAt: 0, workspace: '/' }

function taskOf(index: number, more: object): TaskState {
  const spec = FleetTaskSpec.parse({ id: `t${index}`, name: 't', instructions: 'i', ...more })
  return { ...createTaskState(createRunState(header), spec, { by: 1, at: index }), index }
}

const limits = { classes: { x: { atOnce: 2 } }, keys: { wide: { atOnce: 2 } } }

/** What SC2–SC7 ask for, said plainly: the first of all waiting tasks that no gate keeps back. */
function naive(waiting: ReadonlySet<TaskState>, may: (task: TaskState) => boolean, gates: Gates): TaskState | undefined {
  return [...waiting]
    .filter((task) => may(task) && (task.gates === null || gates.against(task.gates, 0).next().done === true))
    .sort((a, b) => order(ticketOf(a), ticketOf(b)))[0]
}

const kind = fc.record({
  handler: fc.constantFrom('h0', 'h1'),
  metadata: fc.record(
    {
      class: fc.constantFrom('x', 'free'),
      priority: fc.integer({ min: 0, max: 2 }),
      coordination_contracts: fc.constantFrom(['n'], ['n', 'm'], ['m']),
    },
    { requiredKeys: [] },
  ),
  concurrency_key: fc.constantFrom(undefined, 'k', 'wide'),
  workspace: fc.constantFrom(undefined, { writable_paths: ['a'] }, { writable_paths: ['a/b'] }, { writable_paths: ['.'] }),
})

const act = fc.oneof(
  { weight: 3, arbitrary: fc.record({ does: fc.constant('add' as const), kind }) },
  { weight: 4, arbitrary: fc.record({ does: fc.constant('lease' as const), only: fc.constantFrom(undefined, 'h0', 'h1') }) },
  { weight: 3, arbitrary: fc.record({ does: fc.constant('end' as const), nth: fc.nat(20), again: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ does: fc.constant('cancel' as const), nth: fc.nat(20) }) },
)

test('SC4 SC6 SC7 SC8 the queue gives the first task that may go, whatever is parked, woken, cancelled or enqueued again', () => {
  fc.assert(
    fc.property(fc.array(act, { maxLength: 60 }), (acts) => {
      const gates = createGates({ limits, later: () => undefined })
      const queue = createReadyQueue()
      const waiting = new Set<TaskState>()
      const held = new Set<TaskState>()
      let index = 0
      const enqueue = (task: TaskState): void => {
        task.version += 1
        waiting.add(task)
        queue.push(task)
      }
      for (const one of acts) {
        if (one.does === 'add') enqueue(taskOf((index += 1), one.kind))
        else if (one.does === 'lease') {
          const may = (task: { requirement: TaskState['requirement'] }) =>
            one.only === undefined || task.requirement.handler === one.only
          const task = queue.first((requirement) => may({ requirement }), gates, 0)
          expect(task?.id).toBe(naive(waiting, may, gates)?.id)
          if (task === undefined) continue
          task.version += 1
          waiting.delete(task)
          held.add(task)
          if (task.gates !== null) gates.hold({ run: 'r', task: task.id }, task.gates)
        } else {
          const from = one.does === 'end' ? held : waiting
          const task = [...from][one.nth % Math.max(1, from.size)]
          if (task === undefined) continue
          from.delete(task)
          task.version += 1
          if (one.does === 'cancel') continue
          if (task.gates !== null) gates.release({ run: 'r', task: task.id }, task.gates)
          if (one.again) enqueue(task)
        }
        expect(queue.some(() => true)).toBe(waiting.size > 0)
      }
    }),
    { numRuns: 1_000 },
  )
})

/** How often a gate was asked while a queue of so many tasks was drained, each held until the next but one. */
function askedIn(count: number, more: (index: number) => object): number {
  const gates = createGates({ limits, later: () => undefined })
  let asked = 0
  const counting: Gates = {
    ...gates,
    against(...all) {
      asked += 1
      return gates.against(...all)
    },
  }
  const queue = createReadyQueue()
  for (let index = 0; index < count; index += 1) queue.push(taskOf(index, more(index)))
  let held: TaskState | undefined
  for (let left = count; left > 0;) {
    const task = queue.first(() => true, counting, 0)
    if (task === undefined) {
      gates.release({ run: 'r', task: held!.id }, held!.gates!)
      held = undefined
      continue
    }
    if (held !== undefined) gates.release({ run: 'r', task: held.id }, held.gates!)
    gates.hold({ run: 'r', task: task.id }, task.gates!)
    task.version += 1
    held = task
    left -= 1
  }
  return asked
}

test.each([
  ['share one key', () => ({ concurrency_key: 'k' })],
  ['have a key each', (index: number) => ({ concurrency_key: `k${index}` })],
  ['share a class and have a key each', (index: number) => ({ metadata: { class: 'x' }, concurrency_key: `k${index}` })],
  ['claim the same', () => ({ workspace: { writable_paths: ['.'] } })],
  ['claim a path each', (index: number) => ({ workspace: { writable_paths: [`p${index}`] } })],
])('SC8 what tasks wait for is asked a few times for each of them, when they %s', (_, more) => {
  for (const count of [100, 2_000]) expect(askedIn(count, more)).toBeLessThanOrEqual(5 * count)
})

/** A queue of tasks of one class that takes one at once, each with a key of its own, so that they wait at one gate in different lanes. */
function queueAtOneGate() {
  const gates = createGates({ limits: { classes: { x: { atOnce: 1 } } }, later: () => undefined })
  const queue = createReadyQueue()
  const push = (index: number, priority = 1, concurrency_key = `k${index}`): TaskState => {
    const task = taskOf(index, { metadata: { class: 'x', priority }, concurrency_key })
    queue.push(task)
    return task
  }
  const first = () => queue.first(() => true, gates, 0)
  const lease = (task: TaskState): void => {
    task.version += 1
    gates.hold({ run: 'r', task: task.id }, task.gates!)
  }
  const release = (task: TaskState): void => gates.release({ run: 'r', task: task.id }, task.gates!)
  return { push, first, lease, release, isEmpty: () => !queue.some(() => true) }
}

test('SC6 SC8 all that wait at one gate come back, one after the other, in their order', () => {
  const { push, first, lease, release, isEmpty } = queueAtOneGate()
  for (const index of [3, 1, 4, 2]) push(index)
  const given: string[] = []
  for (let task = first(); task !== undefined; task = first()) {
    given.push(task.id)
    lease(task)
    // Every lane is looked at, and parked, while the gate is closed.
    expect(first()).toBe(undefined)
    release(task)
  }
  expect(given).toEqual(['t1', 't2', 't3', 't4'])
  expect(isEmpty()).toBe(true)
})

test('SC6 SC8 a task that was cancelled while it waited at a gate keeps none behind it from coming back', () => {
  const { push, first, lease, release } = queueAtOneGate()
  const [one, two, three, four] = [1, 2, 3, 4].map((index) => push(index)) as [TaskState, TaskState, TaskState, TaskState]
  expect(first()).toBe(one)
  lease(one)
  expect(first()).toBe(undefined)
  for (const cancelled of [two, three]) cancelled.version += 1
  release(one)
  expect(first()).toBe(four)
})

test('SC2 SC8 a more urgent task that joins those waiting at a gate goes before them, and before other lanes', () => {
  const { push, first, lease, release } = queueAtOneGate()
  const one = push(1)
  push(2, 3)
  push(3, 2)
  expect(first()).toBe(one)
  lease(one)
  expect(first()).toBe(undefined)
  const urgent = push(4, 1, 'k2')
  release(one)
  expect(first()).toBe(urgent)
  // The same where the lane is not parked.
  const more = push(5, 0, 'k3')
  expect(first()).toBe(more)
})
