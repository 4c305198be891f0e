import { hash } from 'node:crypto'
import { crc32 } from 'node:zlib'
import { crcSuffix } from './segment-line.ts'

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
    this.#reserve((top.length + body.length) * mostBytesPerUnit + suffixBytes)
    this.#write(top)
    this.#write(body)
    this.#write(`${crcSuffix(crc32(this.#buffer.subarray(byte, this.#length)))}\n`)
    return { byte, hash: hash('sha256', this.#buffer.subarray(byte, this.#length - 1)) }
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

const suffixBytes = 32
/** A UTF-16 unit of a text takes no more bytes than that in UTF-8. */
const mostBytesPerUnit = 3
