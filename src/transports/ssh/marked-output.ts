/** What is told apart in a stream of a remote script. */
export interface OutputParts {
  /** What came before the script's first line: nobody asked for it. */
  readonly before: (bytes: Uint8Array) => void
  /** What the program writes. */
  readonly output: (bytes: Uint8Array) => void
  /** A line of the script, as its words. True: the program writes nothing any more, and all that follows is `after`. */
  readonly said: (words: readonly string[]) => boolean
  readonly after: (bytes: Uint8Array) => Promise<void>
}

/** A stream that is told apart as it comes. */
export interface MarkedOutput {
  write(bytes: Uint8Array): Promise<void>
  end(): void
}

const newline = 0x0a
/** A line of a script is far shorter. */
const longestLine = 1_024

/**
 * Tells the lines of a remote script, which begin with a mark, from all else on the same stream. They stand wherever they come, since the
 * program need not end its last line.
 */
export function createMarkedOutput(mark: string, parts: OutputParts): MarkedOutput {
  const sign = Buffer.from(`${mark} `)
  let held: Buffer = Buffer.alloc(0)
  let phase: 'before' | 'output' | 'after' = 'before'

  const pass = (bytes: Uint8Array) => {
    if (bytes.length > 0) parts[phase === 'before' ? 'before' : 'output'](bytes)
  }

  return {
    async write(bytes) {
      if (phase === 'after') return parts.after(bytes)
      let rest = held.length === 0 ? Buffer.from(bytes) : Buffer.concat([held, bytes])
      held = Buffer.alloc(0)
      for (;;) {
        const at = rest.indexOf(sign)
        if (at < 0) {
          const kept = heldBack(rest, sign)
          pass(rest.subarray(0, rest.length - kept))
          held = rest.subarray(rest.length - kept)
          return
        }
        const end = rest.indexOf(newline, at)
        if (end < 0 && rest.length - at <= longestLine) {
          pass(rest.subarray(0, at))
          held = rest.subarray(at)
          return
        }
        pass(rest.subarray(0, at))
        const line = rest.subarray(at + sign.length, end < 0 ? rest.length : end).toString()
        rest = end < 0 ? Buffer.alloc(0) : rest.subarray(end + 1)
        const isLast = parts.said(line.split(' '))
        phase = isLast ? 'after' : 'output'
        if (!isLast) continue
        return rest.length > 0 ? parts.after(rest) : undefined
      }
    },
    end() {
      pass(held)
      held = Buffer.alloc(0)
    },
  }
}

/** How many bytes at the end may be the beginning of a sign. */
function heldBack(bytes: Buffer, sign: Buffer): number {
  for (let length = Math.min(bytes.length, sign.length - 1); length > 0; length -= 1) {
    if (bytes.subarray(bytes.length - length).equals(sign.subarray(0, length))) return length
  }
  return 0
}
