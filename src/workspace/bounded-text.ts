/** Text that keeps its beginning and its end, and says how much it lost between them. */
export interface BoundedText {
  /** Adds bytes of UTF-8; gives those that became part of the beginning. */
  add(bytes: Uint8Array): Uint8Array
  /** The line that stands for what was left out, and the end; both empty when nothing more than the beginning was written. */
  rest(): { readonly cut: string; readonly end: Uint8Array }
  readonly beginning: readonly Uint8Array[]
}

/** Creates an empty text of at most `limit` bytes, half of them for its beginning and half for its end; never cut inside a character. */
export function createBoundedText(limit: number): BoundedText {
  const half = Math.floor(limit / 2)
  const beginning: Uint8Array[] = []
  let beginningLength = 0
  let isBeginningFull = false
  // A ring, made when the first byte goes over the beginning: only long texts pay for it.
  let ring: Uint8Array | undefined
  let restLength = 0

  const addToRing = (bytes: Uint8Array) => {
    ring ??= new Uint8Array(half)
    const kept = bytes.subarray(Math.max(0, bytes.length - half))
    const at = (restLength + bytes.length - kept.length) % half
    const first = kept.subarray(0, half - at)
    ring.set(first, at)
    ring.set(kept.subarray(first.length), 0)
    restLength += bytes.length
  }

  return {
    beginning,
    add(bytes) {
      const room = isBeginningFull ? 0 : half - beginningLength
      const length = bytes.length <= room ? bytes.length : characterStartBefore(bytes, room)
      const head = bytes.slice(0, length)
      if (length > 0) beginning.push(head)
      beginningLength += length
      if (length < bytes.length) {
        isBeginningFull = true
        addToRing(bytes.subarray(length))
      }
      return head
    },
    rest() {
      if (ring === undefined) return { cut: '', end: new Uint8Array() }
      if (restLength <= half) return { cut: '', end: ring.slice(0, restLength) }
      const at = restLength % half
      const ordered = new Uint8Array(half)
      ordered.set(ring.subarray(at), 0)
      ordered.set(ring.subarray(0, at), half - at)
      const end = ordered.subarray(characterStartAfter(ordered))
      return { cut: `\n[${restLength - end.length} bytes left out]\n`, end }
    },
  }
}

/** The last place at or before `at` where a character begins. */
function characterStartBefore(bytes: Uint8Array, at: number): number {
  let start = at
  while (start > 0 && isContinuation(bytes[start])) start -= 1
  return start
}

function characterStartAfter(bytes: Uint8Array): number {
  let start = 0
  while (start < 3 && isContinuation(bytes[start])) start += 1
  return start
}

function isContinuation(byte: number | undefined): boolean {
  return byte !== undefined && (byte & 0xc0) === 0x80
}
