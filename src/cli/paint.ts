/** Colours a text, or leaves it as it is. */
export interface Paint {
  bold(text: string): string
  dim(text: string): string
  green(text: string): string
  red(text: string): string
  yellow(text: string): string
  cyan(text: string): string
}

/** Colours for a terminal that has them, and none for one that has not. */
export function createPaint(colour: boolean): Paint {
  const sgr = (on: number, off: number) => (text: string) => (colour && text !== '' ? `\u001b[${on}m${text}\u001b[${off}m` : text)
  return { bold: sgr(1, 22), dim: sgr(2, 22), green: sgr(32, 39), red: sgr(31, 39), yellow: sgr(33, 39), cyan: sgr(36, 39) }
}

const tones: Readonly<Record<string, keyof Paint>> = {
  completed: 'green',
  failed: 'red',
  cancelled: 'yellow',
  paused: 'yellow',
  backoff: 'yellow',
  running: 'cyan',
  starting: 'cyan',
  verifying: 'cyan',
}

/** A text in the colour of the status of a run or a task. */
export function paintStatus(paint: Paint, status: string, text: string): string {
  return paint[tones[status] ?? 'dim'](text)
}
