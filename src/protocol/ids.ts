import { contract, type ValueOf } from './codec.ts'
import { token } from './field.ts'

/** The id of a run: 1–128 characters of `[A-Za-z0-9._-]`, not `.` or `..` (WI9). Plain text on the wire. */
export const FleetRunId = contract('FleetRunId', () => token.clone())
export type FleetRunId = ValueOf<typeof FleetRunId>

/** The id that no run and no worker may have: the fleet's own stream, and the worker of what the fleet itself reports (EV1, WO1). */
export const reservedId = 'fleet'

/** Whether a text can be the id of a run, task or worker, a role or a profile (WI9). `fleet` can, by its form. */
export function isToken(text: string): boolean {
  return token.safeParse(text).success
}
