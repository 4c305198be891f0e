/** How long a receiver asks to be left alone: seconds, or a date that counts from the receiver's own. Undefined for anything else. */
export function retryAfterMs(value: string | undefined, receiverDate: string | undefined): number | undefined {
  if (value === undefined) return undefined
  if (/^\d{1,9}$/.test(value.trim())) return Number(value) * 1000
  const [until, from] = [moment(value), moment(receiverDate)]
  return Number.isNaN(until) || Number.isNaN(from) ? undefined : Math.max(0, until - from)
}

/** A date as HTTP writes it; NaN for anything else. */
function moment(text = ''): number {
  return /^\w{3}, .* GMT$/.test(text.trim()) ? Date.parse(text) : Number.NaN
}
