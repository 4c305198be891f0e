import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { createFleet, jsonStore } from '../../../../src/index.ts'
import { assertRun, openRecording, replay, timeline } from '../../../../src/testing/index.ts'
import type { Recording } from '../../../../src/testing/index.ts'
import { task } from '../../../support/bench-fleet.ts'
import { recordedStory } from '../../../support/recorded-story.ts'

const story = await recordedStory()
const text = new TextDecoder().decode(story.recording)
const bytesOf = (content: string): Uint8Array => new TextEncoder().encode(content)
let folder: string | undefined

afterEach(async () => {
  if (folder !== undefined) await rm(folder, { recursive: true, force: true })
  folder = undefined
})

/** The number of the first step after which a task has this status. */
async function stepOf(recording: Recording, id: string, status: string): Promise<number> {
  for (const { number, entries } of recording.steps) {
    if (entries.some(({ entry }) => entry['task'] === id && (entry['set'] as { status?: string })?.status === status))
      return number
  }
  throw new Error(`No step has ${id} ${status}.`)
}

test('CO4 a recording is stepped through: every moment of it reads as a run', async () => {
  const recording = await openRecording(story.recording)
  expect(recording).toMatchObject({ runs: ['story'], hasCommands: true, isCut: false })
  const failed = await stepOf(recording, 'flaky', 'backoff')
  await assertRun((await recording.at(failed)).run('story'), {
    status: 'running',
    tasks: { flaky: { status: 'backoff', attempts: 1, failureKind: 'task' }, long: 'running' },
  })
  await assertRun((await recording.at(failed - 1)).run('story'), { tasks: { flaky: 'running' } })
  const end = await recording.at()
  await assertRun(end.run('story'), {
    status: 'cancelled',
    tasks: { flaky: { status: 'completed', output: { ok: true } }, long: 'cancelled', away: 'completed' },
  })
  expect((await end.runs()).map(({ id, status }) => [id, status])).toEqual([['story', 'cancelled']])
  expect(await timeline(end.run('story'))).toContain('flaky#1 on w1  tool cargo, failed: no compiler')
  expect(await (await recording.at(0)).runs()).toEqual([])
})

test('CO4 what became durable in a recording is what its journal holds', async () => {
  const [recording, journal] = [await openRecording(story.recording), await openRecording(story.journal)]
  const linesOf = ({ steps }: Recording): string[] => steps.flatMap(({ entries }) => entries.map((line) => JSON.stringify(line)))
  expect(linesOf(recording).toSorted()).toEqual(linesOf(journal).toSorted())
  expect(journal).toMatchObject({ hasCommands: false, runs: ['story'] })
  expect(await timeline((await journal.at()).run('story'))).toBe(await timeline((await recording.at()).run('story')))
})

test('CO2 a recording of a process that died opens as far as it goes, wherever it was cut', async () => {
  const whole = await openRecording(story.recording)
  expect((await replay(whole)).same).toBe(true)
  for (let length = 40; length < text.length; length += 1_499) {
    const cut = await openRecording(bytesOf(text.slice(0, length)))
    expect(cut.isCut).toBe(text[length - 1] !== '\n')
    expect(cut.steps).toEqual(whole.steps.slice(0, cut.steps.length))
    expect(await replay(cut)).toEqual({ same: true, steps: cut.steps.length })
  }
})

test('ST8 a recording of a newer version is refused untouched, one of this version is not', async () => {
  const newer = text.replace('"flotilla_recording":1', '"flotilla_recording":2')
  await expect(openRecording(bytesOf(newer))).rejects.toMatchObject({ code: 'store_too_new' })
  await expect(openRecording(bytesOf(text))).resolves.toMatchObject({ hasCommands: true })
})

test('ST4 a damaged line is named', async () => {
  const lines = text.split('\n')
  const at = (index: number, line: string): Uint8Array => bytesOf(lines.toSpliced(index, 1, line).join('\n'))
  for (const line of ['{"life":1,', '42', '{"run":"story"}'])
    await expect(openRecording(at(7, line))).rejects.toMatchObject({
      code: 'store_damaged',
      message: expect.stringContaining('The recording, line 8') as string,
    })
})

test('CO2 a step that is none is refused, and so is a path without a recording', async () => {
  const recording = await openRecording(story.recording)
  await expect(recording.at(recording.steps.length + 1)).rejects.toMatchObject({ code: 'invalid_option' })
  await expect(openRecording('/nowhere/at/all')).rejects.toMatchObject({ code: 'unreadable_file' })
})

test('ST2 the folder of a JSON store that recorded nothing opens for stepping, and has no recording in it', async () => {
  folder = await mkdtemp(join(tmpdir(), 'flotilla-recording-'))
  const fleet = await createFleet({ store: jsonStore({ folder }), handlers: { greet: () => 'hello' } })
  const run = await fleet.start({ name: 'quiet', tasks: [task('greet', { handler: 'greet' })] })
  await run.result()
  await expect(fleet.recording()).rejects.toMatchObject({ code: 'invalid_option' })
  await fleet.close()
  const recording = await openRecording(folder)
  expect(recording).toMatchObject({ hasCommands: false, runs: [run.id] })
  await assertRun((await recording.at()).run(run.id), { status: 'completed', tasks: { greet: { output: 'hello' } } })
  const leased = await stepOf(recording, 'greet', 'running')
  await assertRun((await recording.at(leased)).run(run.id), { status: 'running', tasks: { greet: 'running' } })
})

test('CO2 a file of a recording opens by its path', async () => {
  folder = await mkdtemp(join(tmpdir(), 'flotilla-recording-'))
  await writeFile(join(folder, 'one.ndjson'), story.recording)
  expect((await openRecording(join(folder, 'one.ndjson'))).steps).toEqual((await openRecording(story.recording)).steps)
  expect((await openRecording(folder)).runs).toEqual(['story'])
})
