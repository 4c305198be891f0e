import type { DiskFile } from './disk.ts'

/** How much room is set aside at least, so that a small journal does not take much. */
const leastRoomBytes = 16 * 1024

/**
 * A segment that is appended to, with room set aside behind its end: a sync of bytes that lie in room need not store a new size of the
 * file, which takes a third of its time off. Room is zeros, which no line holds; it is given back when the segment is closed.
 */
export class SegmentFile {
  readonly #file: DiskFile
  readonly #mostRoom: number
  #end: number
  /** Where the room ends; at the end of the segment, or before it, when there is none. */
  #roomTo: number
  #mayMakeRoom = true

  constructor(file: DiskFile, end: number, mostRoom: number) {
    this.#file = file
    this.#end = end
    this.#roomTo = end
    this.#mostRoom = mostRoom
  }

  /** Appends all bytes. What a failed append left behind the end is to be cut off. */
  append(bytes: Uint8Array): void {
    if (this.#mayMakeRoom && this.#end + bytes.length > this.#roomTo) this.#makeRoom(bytes.length)
    writeAll(this.#file, bytes, this.#end)
    this.#end += bytes.length
  }

  /** Cuts off what stands behind an offset, the room included. */
  async truncate(size: number): Promise<void> {
    await this.#file.truncate(size)
    this.#end = size
    this.#roomTo = size
  }

  sync(): Promise<void> {
    return this.#file.sync()
  }

  syncNow(): void {
    this.#file.syncNow()
  }

  /** Gives the room back. */
  async trim(): Promise<void> {
    if (this.#roomTo > this.#end) await this.truncate(this.#end)
  }

  async close(): Promise<void> {
    await this.trim().catch(() => undefined)
    await this.#file.close()
  }

  /** Where the disk does not give it, the segment grows as it is written. */
  #makeRoom(bytes: number): void {
    const from = Math.max(this.#end, this.#roomTo)
    const more = Math.min(this.#mostRoom, Math.max(leastRoomBytes, this.#end))
    if (more === 0) return
    try {
      writeAll(this.#file, Buffer.alloc(this.#end + bytes + more - from), from)
      this.#roomTo = this.#end + bytes + more
    } catch {
      this.#mayMakeRoom = false
    }
  }
}

/** Writes all bytes from an offset on, going on after short writes. */
export function writeAll(file: DiskFile, bytes: Uint8Array, at: number): void {
  for (let done = 0; done < bytes.length;) {
    const taken = file.write(done === 0 ? bytes : bytes.subarray(done), at + done)
    if (taken <= 0) throw new Error(`the disk took ${done} of ${bytes.length} bytes`)
    done += taken
  }
}
