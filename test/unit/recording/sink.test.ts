import { expect, test } from 'vitest'
import { fileSink, memorySink } from '../../../src/recording/sink.ts'
import type { Step } from '../../../src/recording/step.ts'

const step = (at: number, args: unknown = {}): Step => ({
  life: 1,
  at,
  up: at,
  input: { kind: 'call', call: 'perform', number: at, args },
})
const textOf = (bytes: Uint8Array): string => new TextDecoder().decode(bytes)
const lines = (text: string): unknown[] =>
  text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as unknown)

/** A file whose disk does one thing when told. */
function slowFile(): {
  readonly content: () => string
  readonly append: (path: string, text: string) => Promise<void>
  readonly let: (error?: Error) => Promise<void>
  readonly read: () => Promise<Uint8Array>
} {
  let content = ''
  const waiting: ((error: Error | undefined) => void)[] = []
  return {
    content: () => content,
    append: (_, text) =>
      new Promise((resolve, reject) =>
        waiting.push((error) => {
          if (error !== undefined) return reject(error)
          content += text
          resolve()
        }),
      ),
    async let(error) {
      waiting.shift()?.(error)
      await new Promise((resolve) => setImmediate(resolve))
    },
    read: async () => new TextEncoder().encode(content),
  }
}

test('CO2 a recording in a file is written in order, in as few writes as the disk takes, once the path is known', async () => {
  const file = slowFile()
  const sink = fileSink(file)
  expect(sink.begin()).toBe(1)
  sink.write(step(1))
  await file.let()
  expect(file.content()).toBe('')
  sink.open('/store/recordings/1.ndjson')
  sink.write(step(2))
  sink.write(step(3))
  await file.let()
  expect(lines(file.content())).toEqual([{ flotilla_recording: 1, life: 1 }, step(1)])
  const flushed = sink.flush()
  await file.let()
  await flushed
  expect(lines(file.content()).slice(1)).toEqual([step(1), step(2), step(3)])
  expect(textOf(await sink.bytes())).toBe(file.content())
})

test('CO2 a disk that refuses ends the recording, which says so, and leaves a prefix', async () => {
  const file = slowFile()
  const sink = fileSink(file)
  sink.open('/store/recordings/1.ndjson')
  sink.write(step(1))
  await file.let()
  await file.let(new Error('no space left'))
  sink.write(step(2))
  await sink.flush()
  await expect(sink.bytes()).rejects.toThrow('no space left')
  expect(lines(file.content())).toEqual([{ flotilla_recording: 1, life: 1 }])
})

test('CO2 what waits for a slow disk is bounded: then it is full until it was written', async () => {
  const file = slowFile()
  const sink = fileSink(file)
  sink.open('/store/recordings/1.ndjson')
  const long = 'x'.repeat(1_000_000)
  for (let at = 1; at <= 4; at += 1) sink.write(step(at, long))
  expect(sink.isFull).toBe(false)
  sink.write(step(5, long))
  expect(sink.isFull).toBe(true)
  await file.let()
  await file.let()
  expect(sink.isFull).toBe(false)
})

test('CO2 a recording in memory has every process in it, and what is no JSON as a text', async () => {
  const sink = memorySink()
  expect([sink.begin(), sink.begin()]).toEqual([1, 2])
  sink.write(step(1, { big: 10n }))
  expect(lines(textOf(await sink.bytes()))).toEqual([
    { flotilla_recording: 1, life: 1 },
    { flotilla_recording: 1, life: 2 },
    step(1, { big: '10' }),
  ])
})
