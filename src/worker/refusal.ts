import { errorCodes, FleetError, type FleetErrorCode } from '../protocol/errors.ts'

/** What a fleet refuses as an error: with the fleet's code where it is one of {@link errorCodes}, else `invalid_message`. */
export function refusalOf({ code, reason }: { readonly code: string; readonly reason: string }): FleetError {
  const known = Object.hasOwn(errorCodes, code) ? (code as FleetErrorCode) : 'invalid_message'
  return new FleetError(known, `The fleet refused this worker: ${reason}`, { details: { code } })
}
