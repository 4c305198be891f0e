import type { Readable, Writable } from 'node:stream'
import type { WorkerConnection } from '../../ports/worker-connection.ts'
import { createConnectionRelay } from '../connection-relay.ts'

/** Bytes of one line; what is longer is handed on cut, just too long, so that whoever reads it refuses it (HO8). */
const lineLimit = 1_048_576

const lineBreak = 0x0a
const brace = 0x7b

/**
 * A line to a program over its standard input and output (HO4). Lines that do not begin with `{` are no messages: libraries print what they
 * like. `other` gets those. Whoever started the program says when it has
 * ended.
 */
export function stdioConnection(options: {
  readonly input: Writable
  readonly output: Readable
  readonly other: (bytes: Uint8Array) => void
}): WorkerConnection & { readonly end: (reason: string) => void } {
  const { input, output, other } = options
  const relay = createConnectionRelay()
  let partial: Uint8Array[] = []
  let length = 0
  let isOverlong = false
  let isCorked = false

  const hear = (line: Uint8Array) => {
    if (line[0] !== brace) {
      other(line)
      other(newline)
    } else relay.line(line)
  }
  const hold = (piece: Uint8Array) => {
    if (isOverlong) return
    partial.push(piece)
    length += piece.length
    if (length <= lineLimit) return
    isOverlong = true
    hear(Buffer.concat(partial).subarray(0, lineLimit + 1))
    partial = []
  }
  const finish = (piece: Uint8Array) => {
    if (partial.length === 0 && !isOverlong && piece.length <= lineLimit) {
      if (piece.length > 0) hear(piece)
    } else {
      hold(piece)
      if (!isOverlong && length > 0) hear(Buffer.concat(partial))
    }
    partial = []
    length = 0
    isOverlong = false
  }

  output.on('data', (bytes: Buffer) => {
    let from = 0
    for (let to = bytes.indexOf(lineBreak); to >= 0; to = bytes.indexOf(lineBreak, from)) {
      finish(bytes.subarray(from, to))
      from = to + 1
    }
    if (from < bytes.length) hold(bytes.subarray(from))
  })
  // A line without its break is no message: the program died while it wrote it. Whoever started it knows better why it is gone.
  output.on('error', () => {})
  input.on('error', () => {})

  return {
    send(line) {
      if (relay.hasEnded || !input.writable) return
      // What is said in one turn of the event loop is one write.
      if (!isCorked) {
        isCorked = true
        input.cork()
        process.nextTick(() => {
          isCorked = false
          input.uncork()
        })
      }
      input.write(`${line}\n`)
    },
    listen: relay.listen,
    close(reason) {
      input.end()
      relay.end(reason)
    },
    pause(isPaused) {
      if (isPaused) output.pause()
      else output.resume()
    },
    end: relay.end,
  }
}

const newline = Uint8Array.of(lineBreak)
