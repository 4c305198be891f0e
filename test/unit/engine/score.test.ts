import { expect, test } from 'vitest'
import { scoreOf } from '../../../src/engine/score.ts'
import { memoryFiles } from '../../../src/testing/memory-files.ts'
import { decidedRun } from '../../support/decided-run.ts'
import { scorersOf } from '../../support/scored-attempt.ts'

const scored = (scorer: object | undefined, more: object = {}) => {
  const { task } = decidedRun({ a: { scorer } })
  return scoreOf(scorersOf({ files: memoryFiles() }), task('a'), {
    type: 'result',
    run_id: 'r',
    task_id: 'a',
    attempt: 1,
    ...more,
  })
}
const says = expect.stringMatching(/./) as string

test('VE5 VE8 without a scorer a result is partial, with half a score, unless its output schema accepted it', () => {
  const partial = { effect: false, verdict: { result: 'partial', score: { value: 0.5, max: 1 }, evidence: says } }
  expect(scored(undefined)).toEqual(partial)
  expect(scored(undefined, { schema_accepted: false })).toEqual(partial)
  expect(scored(undefined, { schema_accepted: true })).toEqual({
    ...{ effect: false, verdict: { result: 'pass', score: { value: 1, max: 1 }, evidence: says } },
  })
})

test('VE1 VE2 what needs nothing of the outside is decided at once, by its own scorer, and a schema has no say', () => {
  const exit = { kind: 'exit_code' }
  expect(scored(exit, { exit_code: 0 })).toMatchObject({ effect: false, verdict: { result: 'pass' } })
  expect(scored(exit, { exit_code: 1 })).toMatchObject({ verdict: { result: 'fail', failureKind: 'task' } })
  expect(scored(exit, { schema_accepted: true })).toMatchObject({ verdict: { result: 'fail', failureKind: 'transport' } })
  expect(scored({ kind: 'manual' }, { schema_accepted: true })).toMatchObject({ effect: false, verdict: { result: 'partial' } })
})

test('VE1 what needs the outside is left to an effect', () => {
  for (const scorer of [
    { kind: 'file_exists', path: 'x' },
    { kind: 'command', command: 'true' },
  ])
    expect(scored(scorer, { schema_accepted: true, exit_code: 0 })).toEqual({ effect: true })
})
