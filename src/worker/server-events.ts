/** One server-sent event. A comment has no fields, and is heard too: it is a sign of life. */
export interface ServerEvent {
  readonly event?: string
  readonly id?: string
  readonly data?: string
}

/** Bytes of one event; a fleet sends nothing near it. */
const eventBytes = 64 * 1_048_576

/** The events of a body, as they come. What was cut off is no event. Throws when one is over all measure. */
export async function* serverEvents(body: ReadableStream<Uint8Array>): AsyncGenerator<ServerEvent, void> {
  const decoder = new TextDecoder()
  let text: string[] = []
  let held = 0
  let fields: Record<string, string> = {}
  for await (const bytes of body) {
    const piece = decoder.decode(bytes, { stream: true })
    held += piece.length
    if (held > eventBytes) throw new Error(`an event is over ${eventBytes} bytes`)
    if (!piece.includes('\n')) {
      text.push(piece)
      continue
    }
    const lines = [...text, piece].join('').split('\n')
    const rest = lines.pop() ?? ''
    text = [rest]
    for (const line of lines) {
      if (line === '') {
        yield fields
        fields = {}
        held = rest.length
      } else readField(line, fields)
    }
  }
}

function readField(line: string, fields: Record<string, string>): void {
  const colon = line.indexOf(':')
  if (colon <= 0) return
  const name = line.slice(0, colon)
  if (name === 'event' || name === 'id' || name === 'data') fields[name] = line.slice(colon + 1).replace(/^ /, '')
}
