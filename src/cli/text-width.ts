import stringWidth from 'string-width'

const graphemes = new Intl.Segmenter(undefined, { granularity: 'grapheme' })

/** A text as one line that cannot steer a terminal: control characters become spaces, and runs of space one space. */
export function oneLine(text: string): string {
  return withoutControls(text).replace(/\s+/g, ' ').trim()
}

/** A text without escape sequences and control characters, its line breaks kept. */
export function withoutControls(text: string): string {
  return (
    text
      // Escape sequences first, as a whole: without its escape the rest of one would be left as litter.
      .replace(/\u001b(?:\[[0-?]*[ -/]*[@-~]|\][^\u0007\u001b]*(?:\u0007|\u001b\\)?|[@-_])/g, '')
      .replace(/[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu, (char) => (char === '\n' || char === '\t' ? char : ' '))
  )
}

/** The columns that a plain text takes. */
export function widthOf(text: string): number {
  return stringWidth(text)
}

/** A plain text in at most `width` columns; what is over is cut, with an ellipsis. */
export function cut(text: string, width: number): string {
  if (width <= 0) return ''
  if (widthOf(text) <= width) return text
  let kept = ''
  let columns = 0
  for (const { segment } of graphemes.segment(text)) {
    const more = widthOf(segment)
    if (columns + more > width - 1) break
    kept += segment
    columns += more
  }
  return `${kept}…`
}

/** A plain text in exactly `width` columns. */
export function fit(text: string, width: number, align: 'left' | 'right' = 'left'): string {
  const kept = cut(text, width)
  const space = ' '.repeat(Math.max(0, width - widthOf(kept)))
  return align === 'left' ? kept + space : space + kept
}
