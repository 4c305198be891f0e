/** A value of plain JSON that shares nothing with the one given. `structuredClone` takes several times as long. */
export function ownCopy<Value>(value: Value): Value {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map((item: unknown) => ownCopy(item)) as Value
  const copy = { ...value } as Record<string, unknown>
  for (const key of Object.keys(copy)) if (typeof copy[key] === 'object') copy[key] = ownCopy(copy[key])
  return copy as Value
}
