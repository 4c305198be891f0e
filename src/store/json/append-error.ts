import { FleetError } from '../../protocol/errors.ts'
import { reasonOf } from './journal-bytes.ts'

export function conflict(): FleetError {
  return new FleetError('store_conflict', 'Another process took this store over; this one is fenced out. Close this fleet.')
}

export function notStored(cause: unknown): FleetError {
  return new FleetError('not_stored', `Nothing was stored: ${reasonOf(cause)}. Mend that, then try again.`, { cause })
}

export function outcomeUnknown(cause: unknown): FleetError {
  return new FleetError('outcome_unknown', `The append may be stored or not: ${reasonOf(cause)}. Read the run to learn which.`, {
    cause,
  })
}
