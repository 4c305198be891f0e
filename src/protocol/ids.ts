import { contract, type ValueOf } from './codec.ts'
import { token } from './field.ts'

export { isToken, reservedId } from './token.ts'

/** The id of a run: 1–128 characters of `[A-Za-z0-9._-]`, not `.` or `..` (WI9). Plain text on the wire. */
export const FleetRunId = contract('FleetRunId', () => token().clone())
export type FleetRunId = ValueOf<typeof FleetRunId>
