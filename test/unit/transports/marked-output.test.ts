import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createMarkedOutput } from '../../../src/transports/ssh/marked-output.ts'

const mark = 'flotilla-0123'

/** What is told apart in a stream that comes in pieces of these lengths. */
async function told(stream: string, lengths: readonly number[] = [stream.length]) {
  const parts = { before: '', output: '', after: '', said: [] as string[] }
  const marked = createMarkedOutput(mark, {
    before: (bytes) => (parts.before += Buffer.from(bytes).toString('latin1')),
    output: (bytes) => (parts.output += Buffer.from(bytes).toString('latin1')),
    said(words) {
      parts.said.push(words.join(' '))
      return words[0] === 'ended'
    },
    after: async (bytes) => void (parts.after += Buffer.from(bytes).toString('latin1')),
  })
  const bytes = Buffer.from(stream, 'latin1')
  for (let at = 0, turn = 0; at < bytes.length; turn += 1) {
    const length = Math.max(1, lengths[turn % lengths.length] ?? 1)
    await marked.write(bytes.subarray(at, at + length))
    at += length
  }
  marked.end()
  return parts
}

describe('the output of a remote script', () => {
  test('HO4 is told apart: noise before, lines of the script, what the program writes, and what follows', async () => {
    const stream = `welcome\n${mark} started\none\nlast without a break${mark} ended 0\n${mark} tar bytes`
    expect(await told(stream)).toEqual({
      before: 'welcome\n',
      output: 'one\nlast without a break',
      said: ['started', 'ended 0'],
      after: `${mark} tar bytes`,
    })
  })

  test('HO4 is told apart in the same way however it is cut', async () => {
    const text = fc
      .string({ unit: fc.constantFrom('f', 'l', 'flotilla-', mark, '\n', 'x') })
      .filter((one) => !one.includes(`${mark} `))
    const whole = fc.tuple(text, text, text)
    await fc.assert(
      fc.asyncProperty(
        whole,
        fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1 }),
        async ([before, output, after], lengths) => {
          const stream = `${before}${mark} started\n${output}${mark} ended 3\n${after}`
          // The text that stands before a line may end in the beginning of the mark, so the whole is what it is held against.
          expect(await told(stream, lengths)).toEqual(await told(stream))
        },
      ),
    )
  })

  test('HO4 a beginning of a mark that is none is output', async () => {
    expect(await told(`${mark} started\nflotilla-01 and flotilla-`, [3])).toMatchObject({ output: 'flotilla-01 and flotilla-' })
  })

  test('HO4 a line of the script without an end does not hold the output back for ever', async () => {
    const parts = await told(`${mark} started\n${mark} ${'x'.repeat(5_000)}\nmore`, [100])
    expect(parts.said).toHaveLength(2)
    expect(parts.output).toContain('more')
  })
})
