/** The lines that the fleet sent in one session, as events, kept until the worker said that it heard them. */
export interface KeptEvents {
  /** Adds a line. */
  add(line: string): void
  /** No line follows. */
  end(reason: string): void
  /** Everything up to this number was heard. */
  heard(number: number): void
  /** The event with the number after this one; undefined when it has not been sent yet. */
  after(number: number): Uint8Array | undefined
  /** The last event, once nothing but it is left. */
  readonly ending: Uint8Array | undefined
  /** The lowest number that can still be asked for with {@link after}, and the highest that was sent. */
  readonly first: number
  readonly last: number
  /** Bytes that are kept. */
  readonly bytes: number
  /** Calls back at every change, until it is taken back. */
  onChange(listener: () => void): () => void
}

export function createKeptEvents(): KeptEvents {
  const encoder = new TextEncoder()
  const kept: Uint8Array[] = []
  const listeners = new Set<() => void>()
  let first = 0
  let bytes = 0
  let ending: Uint8Array | undefined
  const changed = (): void => listeners.forEach((listener) => listener())

  return {
    add(line) {
      if (ending !== undefined) return
      const event = encoder.encode(`id: ${first + kept.length + 1}\ndata: ${line}\n\n`)
      kept.push(event)
      bytes += event.length
      changed()
    },
    end(reason) {
      ending ??= encoder.encode(`event: end\ndata: ${JSON.stringify({ reason })}\n\n`)
      changed()
    },
    heard(number) {
      const gone = kept.splice(0, Math.max(0, Math.min(number, first + kept.length) - first))
      first += gone.length
      for (const event of gone) bytes -= event.length
    },
    after: (number) => kept[number - first],
    get ending() {
      return ending
    },
    get first() {
      return first
    },
    get last() {
      return first + kept.length
    },
    get bytes() {
      return bytes
    },
    onChange(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
  }
}
