/** Turns the bytes of one stream into text of whole lines. */
export interface LineReader {
  write(bytes: Uint8Array): void
  /** The stream has ended: what is left becomes the last line. */
  end(): void
}

/**
 * Decodes UTF-8 across the borders of chunks (bytes that are none become U+FFFD) and hands on whole lines, several at a time. A line
 * longer than `limit` characters is cut, and says how many bytes were left out (HO4).
 */
export function createLineReader({
  limit,
  emit,
}: {
  readonly limit: number
  readonly emit: (lines: string) => void
}): LineReader {
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true })
  let partial = ''
  let cutBytes = 0

  const hold = (piece: string) => {
    const room = limit - partial.length
    partial += piece.slice(0, room)
    if (piece.length > room) cutBytes += Buffer.byteLength(piece.slice(room))
  }
  const takeLine = () => {
    const line = cutBytes === 0 ? partial : `${partial} [line cut: ${cutBytes} bytes left out]`
    partial = ''
    cutBytes = 0
    return `${line}\n`
  }
  const read = (text: string) => {
    const first = text.indexOf('\n')
    if (first < 0) return hold(text)
    hold(text.slice(0, first))
    const last = text.lastIndexOf('\n')
    const line = takeLine()
    // The lines between lie within one chunk, so none of them can be over a limit that is longer than a chunk.
    emit(line + text.slice(first + 1, last + 1))
    hold(text.slice(last + 1))
  }

  return {
    write: (bytes) => read(decoder.decode(bytes, { stream: true })),
    end() {
      read(decoder.decode())
      if (partial !== '') emit(takeLine())
    },
  }
}
