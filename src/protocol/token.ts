/** 1–128 bytes of `[A-Za-z0-9._-]`, and not `.` or `..` (WI9). */
export const tokenPattern = /^(?!\.{1,2}$)[A-Za-z0-9._-]{1,128}$/

/** The id that no run and no worker may have: the fleet's own stream, and the worker of what the fleet itself reports (EV1, WO1). */
export const reservedId = 'fleet'

/** Whether something can be the id of a run, task or worker, a role or a profile (WI9). `fleet` can, by its form. */
export function isToken(text: unknown): boolean {
  return typeof text === 'string' && tokenPattern.test(text)
}
