/**
 * Quotes a text as one word of a POSIX shell: it arrives as it is, whatever it holds, and nothing of it is read by the shell (SE6). No word
 * can hold a NUL: `hasNul` tells.
 */
export function shellWord(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`
}

/** Whether a text holds a NUL, which no argument, variable or path can. */
export function hasNul(text: string): boolean {
  return text.includes('\0')
}
