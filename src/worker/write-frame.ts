import { checkSize, sizeLimits } from '../protocol/size-limit.ts'
import type { WorkerFrame } from '../protocol/worker-protocol.ts'

/** Frames of a few plain fields, none of which may be large. */
const small: ReadonlySet<WorkerFrame['type']> = new Set(['accepted', 'heartbeat', 'ack', 'ping', 'pong', 'usage'])

/** A frame as one line, without its line break. Throws `too_large` for what no fleet would take (HO8). */
export function writeFrame(frame: WorkerFrame): string {
  const line = JSON.stringify(frame)
  // Pieces of files are as large as they may be, and flat.
  if (frame.type !== 'chunk' && !small.has(frame.type)) checkSize(new TextEncoder().encode(line), sizeLimits.message)
  return line
}
