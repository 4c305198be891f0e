import { joinedBytes } from '../security/joined-bytes.ts'

/** A body is over a limit; which one, as the middle of a sentence. */
export class BodyTooLarge extends Error {}

/**
 * The lines of a body, without their line breaks, as they come. Bytes are counted before they are kept: a line or a body that is over its
 * limit throws {@link BodyTooLarge} with no more than that in memory. `part` hears of every piece that came; `rest` of the bytes after the
 * last line break, which are no line.
 */
export async function* bodyLines(
  reader: ReadableStreamDefaultReader<Uint8Array>,
  limits: { readonly line: number; readonly body: number },
  heard: { part(): void; rest(bytes: number): void },
): AsyncGenerator<Uint8Array, void> {
  let parts: Uint8Array[] = []
  let held = 0
  let total = 0
  for (;;) {
    const { done, value } = await reader.read()
    if (done) break
    heard.part()
    total += value.length
    if (total > limits.body) throw new BodyTooLarge(`its body is over ${limits.body} bytes`)
    let start = 0
    for (;;) {
      const end = value.indexOf(lineBreak, start)
      const part = value.subarray(start, end < 0 ? undefined : end)
      held += part.length
      if (held > limits.line) throw new BodyTooLarge(`one of its lines is over ${limits.line} bytes`)
      if (end < 0) {
        if (part.length > 0) parts.push(part)
        break
      }
      yield parts.length === 0 ? part : joinedBytes([...parts, part])
      parts = []
      held = 0
      start = end + 1
    }
  }
  heard.rest(held)
}

const lineBreak = 0x0a
