import { expect, test } from 'vitest'
import { createTestFleet, openRecording, replay, script, worker } from '../../../../src/testing/index.ts'
import { recordedStory } from '../../../support/recorded-story.ts'
import { task } from '../../../support/bench-fleet.ts'

const story = await recordedStory()

async function flaky(): Promise<Uint8Array> {
  await using fleet = await createTestFleet({
    record: true,
    workers: [worker('w1').otherwise(script().after('2s').fail('no compiler'), script().stall())],
  })
  const run = await fleet.start({ id: 'flaky', name: 'flaky', tasks: [task('build', { retry_policy: { max_attempts: 2 } })] })
  await fleet.until(run.result())
  await fleet.close()
  return await fleet.recording()
}

test('CO2 what is recorded over retries, a crash, a failing store, a cancellation, a verdict and a restart is decided again the same', async () => {
  const recording = await openRecording(story.recording)
  expect(recording.steps.filter(({ text }) => text.startsWith('open was called'))).toHaveLength(2)
  expect(recording.steps.filter(({ text }) => text.includes('failed: not_stored'))).not.toHaveLength(0)
  expect(await replay(recording)).toEqual({ same: true, steps: recording.steps.length })
})

test('DE1 two recordings of one seed are byte-identical, and recording changes no decision of this story', async () => {
  const [again, unrecorded] = [await recordedStory(), await recordedStory(false)]
  expect(Buffer.compare(again.recording, story.recording)).toBe(0)
  expect(Buffer.compare(again.journal, story.journal)).toBe(0)
  expect(unrecorded.recording).toHaveLength(0)
  expect(new TextDecoder().decode(unrecorded.journal)).toBe(new TextDecoder().decode(story.journal))
})

test('CO2 another limit is seen at the first entry that it changes, in words', async () => {
  const { same, steps, divergence } = await replay(await openRecording(await flaky()), {
    limits: { attemptTimeoutMs: 60_000 },
  })
  expect({ same, steps }).toEqual({ same: false, steps: divergence?.step })
  expect(divergence).toMatchObject({ kind: 'entry', run: 'flaky', task: 'build', attempt: 1 })
  expect(divergence?.text.split('\n').slice(1)).toEqual([
    '  entry 7 of flaky: task.stepped of build#1 to running:',
    '  set.timeoutAt: +30m00s recorded, +1m00s now',
    '  set.timeoutMs: 1800000 recorded, 60000 now',
  ])
})

test('CO2 a deadline that the recording does not have is met in its time, and what comes of it is told', async () => {
  const { divergence } = await replay(await openRecording(await flaky()), { limits: { stallAfterMs: 30_000 } })
  expect(divergence).toMatchObject({ kind: 'entry', task: 'build', attempt: 2, expected: undefined })
  expect(divergence?.text.split('\n').slice(1)).toEqual([
    '  before it, at +37s, the code meets a deadline that the recording does not have:',
    '  recorded: no entry',
    '  now:      entry 12 of flaky: task.stepped of build#2 to failed',
  ])
})

test('CO2 a draw that the recording does not have changes the entry that it is for', async () => {
  const { divergence } = await replay(await openRecording(await flaky()), { limits: { jitter: true } })
  expect(divergence).toMatchObject({ kind: 'entry', task: 'build', expected: { set: { notBeforeMs: 5_000 } } })
  expect((await replay(await openRecording(await flaky()), { limits: { jitter: false } })).same).toBe(true)
})

test('CO2 a journal without commands cannot be played again, and says why', async () => {
  await expect(openRecording(story.journal).then((journal) => replay(journal))).rejects.toMatchObject({
    code: 'invalid_option',
    message: expect.stringContaining('Record with `record: true`') as string,
  })
})
