/** Shorter values stand in too many texts by chance: covering them would hide what is no secret. */
const leastBytes = 4
/** Long enough for keys and certificates; what a redactor remembers of a value is many times as long. */
const mostBytes = 16 * 1024

/** Why a value cannot be a secret that is handed out, as the end of a sentence; undefined when it can. It says nothing of the value but its size. */
export function secretValueProblem(value: string): string | undefined {
  const bytes = new TextEncoder().encode(value).length
  if (value.trim() === '') return 'is empty'
  if (new TextEncoder().encode(value.trim()).length < leastBytes)
    return `has ${bytes} bytes; what is shorter than ${leastBytes} cannot be redacted safely`
  return bytes > mostBytes ? `has ${bytes} bytes; a secret may have ${mostBytes}` : undefined
}
