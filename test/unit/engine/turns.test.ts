import { expect, test } from 'vitest'
import type { Commits, Turn } from '../../../src/engine/commit.ts'
import { refuse } from '../../../src/engine/decide.ts'
import type { DecideContext } from '../../../src/engine/decide.ts'
import { entryOf, just, nothing } from '../../../src/engine/entry.ts'
import type { Draft, Entry } from '../../../src/engine/entry.ts'
import { createTurns } from '../../../src/engine/turns.ts'
import type { TurnHooks } from '../../../src/engine/turns.ts'
import { FleetError } from '../../../src/protocol/errors.ts'

const draft = (task: string): Draft => ({ on: 'r', kind: 'task.stepped', task })
const tasks = (entries: Turn['entries']) => entries.map(({ run, entry }) => `${run}/${entry.task}`)

/** Turns whose commits wait in `pushed` until the test says what became of them. */
function bench(more: Partial<TurnHooks> = {}) {
  const pushed: Turn[] = []
  const durable: string[][] = []
  let refusing: FleetError | undefined
  let idle = true
  let seq = 0
  const commits: Commits = {
    push: (turn) => void pushed.push(turn),
    durable: () => Promise.resolve(true),
    settled: () => Promise.resolve(),
    get idle() {
      return idle
    },
  }
  const turns = createTurns(commits, {
    context: () => ({}) as DecideContext,
    apply: (drafted): Entry => entryOf(drafted, (seq += 1), 0),
    following: () => undefined,
    schedule: nothing,
    durable: (entries) => void durable.push(tasks(entries)),
    refusing: () => refusing,
    keepLimit: 3,
    ...more,
  })
  return {
    ...{ turns, pushed, durable },
    refuse: (error: FleetError | undefined) => void (refusing = error),
    busy: () => void (idle = false),
    next: () => pushed.shift(),
  }
}

const storeError = new FleetError('not_stored', 'It failed.')

test('CO1 a command answers when all that it saw is durable, with what scheduling made of it in the same append', async () => {
  const { turns, pushed, durable } = bench({
    schedule: () => just(draft('leased')),
    following: (_, __, { task }) => (task === 'a' ? just({ ...draft('alert'), on: 'other' }) : undefined),
  })
  const answers: string[] = []
  const answer = turns.command(function* () {
    yield draft('a')
    yield draft('b')
    return 'done'
  })
  void answer.then((said) => answers.push(said))
  await Promise.resolve()
  expect(pushed.map(({ entries }) => tasks(entries))).toEqual([['r/a', 'other/alert', 'r/b', 'r/leased']])
  expect([answers, durable]).toEqual([[], []])
  pushed[0]?.durable()
  expect(await answer).toBe('done')
  expect(durable).toEqual([['r/a', 'other/alert', 'r/b', 'r/leased']])
})

test('CO1 a command that is refused is refused when what it saw is durable, and one whose append failed with that', async () => {
  const { turns, next } = bench()
  const refused = turns.command(() => {
    throw refuse('run_sealed', 'No.')
  })
  next()?.durable()
  await expect(refused).rejects.toMatchObject({ code: 'run_sealed' })
  const lost = turns.command(() => just(draft('a')))
  next()?.discarded(storeError)
  await expect(lost).rejects.toBe(storeError)
})

test('CO1 while the state is not to be trusted commands are refused, and reports are kept and decided in their order', async () => {
  const { turns, pushed, refuse: refuseAll } = bench()
  refuseAll(storeError)
  const decided: string[] = []
  const report = (name: string) =>
    turns.report(function* () {
      decided.push(name)
      yield draft(name)
    })
  await expect(turns.command(() => just(draft('x')))).rejects.toBe(storeError)
  expect(turns.keepsReports()).toBe(false)
  report('a')
  report('b')
  expect([decided, pushed.length, turns.keepsReports()]).toEqual([[], 0, true])
  refuseAll(undefined)
  turns.retryKept()
  expect([decided, turns.keepsReports()]).toEqual([['a', 'b'], false])
  expect(pushed.map(({ entries }) => tasks(entries))).toEqual([['r/a'], ['r/b']])
})

test('CO1 reports whose append failed are decided again, before those that came after', () => {
  const { turns, pushed, refuse: refuseAll } = bench()
  const report = (name: string) => turns.report(() => just(draft(name)))
  report('a')
  report('b')
  refuseAll(storeError)
  report('later')
  for (const turn of pushed.splice(0)) turn.discarded(storeError)
  expect(turns.keepsReports()).toBe(true)
  refuseAll(undefined)
  turns.retryKept()
  expect(pushed.map(({ entries }) => tasks(entries))).toEqual([['r/a'], ['r/b'], ['r/later']])
})

test('CO1 kept reports are bounded, those whose append failed and those that came after together', () => {
  const { turns, pushed, refuse: refuseAll } = bench()
  const report = (name: string) => turns.report(() => just(draft(name)))
  for (const name of ['a', 'b']) report(name)
  refuseAll(storeError)
  for (const turn of pushed.splice(0)) turn.discarded(storeError)
  for (const name of ['c', 'd']) report(name)
  refuseAll(undefined)
  turns.retryKept()
  expect(pushed.flatMap(({ entries }) => tasks(entries))).toEqual(['r/a', 'r/b', 'r/c'])
})

test('CO3 a report that does not apply any more changes nothing and is silent; any other refusal is a defect and is not', () => {
  const { turns, pushed } = bench()
  turns.report(() => {
    throw refuse('refused', 'It has ended.')
  })
  expect(pushed).toEqual([])
  expect(() =>
    turns.report(() => {
      throw refuse('run_sealed', 'No.')
    }),
  ).toThrow(expect.objectContaining({ code: 'run_sealed' }))
  expect(() =>
    turns.report(() => {
      throw new TypeError('It broke.')
    }),
  ).toThrow(TypeError)
})

test('CO1 a report that decided nothing is kept with what is being written, since that may be discarded; alone it is not', () => {
  const { turns, pushed, busy } = bench()
  const late = function* () {}
  turns.report(late)
  expect(pushed).toEqual([])
  busy()
  turns.report(nothing)
  expect(pushed).toEqual([])
  turns.report(late)
  expect(pushed).toHaveLength(1)
  pushed[0]?.discarded(storeError)
  expect(turns.keepsReports()).toBe(true)
})

test('CO1 scheduling looks again when it is nudged, and what it decides is made durable', () => {
  let decisions = 0
  const { turns, pushed } = bench({ schedule: () => ((decisions += 1), just(draft('leased'))) })
  turns.nudge()
  expect(decisions).toBe(1)
  expect(pushed.map(({ entries }) => tasks(entries))).toEqual([['r/leased']])
})
