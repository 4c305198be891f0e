import { hash } from 'node:crypto'
import { seal, sealLength } from './line-seal.ts'

/** Lines that are written together, made in one buffer that is used again: checksum and hash are taken from the bytes as they lie there. */
export class LineBuffer {
  #buffer = Buffer.allocUnsafe(64 * 1024)
  #length = 0

  clear(): void {
    this.#length = 0
  }

  /** Adds a line of two parts, sealed with its checksum; gives its offset and its hash. */
  add(top: string, body: string): { readonly byte: number; readonly hash: string } {
    const byte = this.#length
    this.#reserve((top.length + body.length) * mostBytesPerUnit + sealLength + 1)
    this.#write(top)
    this.#write(body)
    const end = seal(this.#buffer, byte, this.#length)
    this.#buffer[end] = lineFeed
    this.#length = end + 1
    return { byte, hash: hash('sha256', this.#buffer.subarray(byte, end)) }
  }

  /** Everything that was added since it was cleared. */
  get bytes(): Buffer {
    return this.#buffer.subarray(0, this.#length)
  }

  #write(text: string): void {
    this.#length += this.#buffer.write(text, this.#length)
  }

  #reserve(more: number): void {
    if (this.#length + more <= this.#buffer.length) return
    const larger = Buffer.allocUnsafe(Math.max(this.#buffer.length * 2, this.#length + more))
    this.#buffer.copy(larger, 0, 0, this.#length)
    this.#buffer = larger
  }
}

const lineFeed = 10
/** A UTF-16 unit of a text takes no more bytes than that in UTF-8. */
const mostBytesPerUnit = 3
