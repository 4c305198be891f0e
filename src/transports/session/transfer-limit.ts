/** Bytes of files of one attempt that may be under way to the fleet, or to its worker, at once. */
export const maxTransferBytes = 64 * 1_048_576
