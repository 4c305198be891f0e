import type { AttemptKey } from '../../protocol/wire.ts'
import type { FleetAttemptFrame } from '../../protocol/worker-protocol.ts'
import { maxTransferBytes } from './transfer-limit.ts'

/** What a session remembers of one attempt: how far either side has heard the other, and what is under way. */
export interface AttemptLine {
  readonly key: AttemptKey
  /** Number of the worker's last frame that was taken. */
  heard: number
  /** Number of its last frame that the reader of the channel has dealt with. */
  dealt: number
  /** Number of the last of its frames that was acknowledged. */
  acked: number
  /** Number of the fleet's last frame. */
  sent: number
  /** The fleet's frames that are not acknowledged, by number; kept only for workers that resume. */
  readonly unacked: Map<number, FleetAttemptFrame>
  /** Its last frame was heard. */
  hasEnded: boolean
  /** Files that are arriving, in pieces; undefined for one that grew too large. */
  transfers: Map<number, Uint8Array[] | undefined> | undefined
  transferred: number
  /** What must be done before its last frame may be handed on. */
  pending: Promise<void> | undefined
  /** Files that its scorer reads were brought over. */
  hasEvidence: boolean
  /** Absolute path of its folder at the fleet, once it was assigned. */
  folder: string | undefined
  /** The worker has taken the fleet's frames up to this number. */
  forget(seq: number): void
}

export function createAttemptLine({ run_id, task_id, attempt }: AttemptKey): AttemptLine {
  const unacked = new Map<number, FleetAttemptFrame>()
  return {
    key: { run_id, task_id, attempt },
    heard: 0,
    dealt: 0,
    acked: 0,
    sent: 0,
    unacked,
    hasEnded: false,
    transfers: undefined,
    transferred: 0,
    pending: undefined,
    hasEvidence: false,
    folder: undefined,
    forget(seq) {
      for (const number of unacked.keys()) if (number <= seq) unacked.delete(number)
    },
  }
}

/** Adds a piece to a file that is arriving. Files of one attempt that are under way share one limit; what is over it is thrown away. */
export function addPiece(line: AttemptLine, transfer: number, piece: Uint8Array): void {
  line.transfers ??= new Map()
  const pieces = line.transfers.has(transfer) ? line.transfers.get(transfer) : []
  line.transferred += piece.length
  if (pieces === undefined || line.transferred > maxTransferBytes) {
    line.transferred -= piece.length + sizeOf(pieces)
    line.transfers.set(transfer, undefined)
  } else {
    pieces.push(piece)
    line.transfers.set(transfer, pieces)
  }
}

/** Takes a file that has arrived; undefined when it was too large. */
export function takeTransfer(line: AttemptLine, transfer: number): Uint8Array | undefined {
  const known = line.transfers?.has(transfer) === true
  const pieces = line.transfers?.get(transfer)
  line.transfers?.delete(transfer)
  line.transferred -= sizeOf(pieces)
  // A file of no bytes has no pieces.
  return pieces === undefined && known ? undefined : Buffer.concat(pieces ?? [])
}

function sizeOf(pieces: readonly Uint8Array[] | undefined): number {
  return (pieces ?? []).reduce((sum, piece) => sum + piece.length, 0)
}
