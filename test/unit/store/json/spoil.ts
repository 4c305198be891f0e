/** Changes everything that a value holds, however deep: whoever else holds a part of it sees that. */
export function spoil(value: unknown): void {
  if (typeof value !== 'object' || value === null) return
  for (const part of Object.values(value)) spoil(part)
  if (Array.isArray(value)) value.push('spoilt')
  else {
    const object = value as Record<string, unknown>
    for (const key of Object.keys(object)) object[key] = 'spoilt'
    object['spoilt'] = true
  }
}
