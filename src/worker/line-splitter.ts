import { StringDecoder } from 'node:string_decoder'

/**
 * Gives a function that takes pieces of a stream and hands on its lines, without their line breaks; empty ones are passed over. Lines of the
 * fleet have no limit: they hold tasks as large as their author made them.
 */
export function createLineSplitter(emit: (line: string) => void): (piece: Uint8Array) => void {
  const decoder = new StringDecoder('utf8')
  let partial: string[] = []
  return (piece) => {
    const text = decoder.write(piece as Buffer)
    let from = 0
    for (let to = text.indexOf('\n'); to >= 0; to = text.indexOf('\n', from)) {
      partial.push(text.slice(from, to))
      from = to + 1
      const line = partial.length === 1 ? partial[0]! : partial.join('')
      partial = []
      if (line.trim() !== '') emit(line)
    }
    if (from < text.length) partial.push(text.slice(from))
  }
}
