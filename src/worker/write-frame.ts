import { checkSize, sizeLimits } from '../protocol/size-limit.ts'
import type { WorkerFrame } from '../protocol/worker-protocol.ts'

/** Frames that hold neither large values nor deep ones. Pieces of files are as large as they may be, and flat. */
const plain: ReadonlySet<WorkerFrame['type']> = new Set(['accepted', 'heartbeat', 'usage', 'chunk', 'ack', 'ping', 'pong'])

/** A frame as one line, without its line break. Throws `too_large` for what no fleet would take (HO8). */
export function writeFrame(frame: WorkerFrame): string {
  const line = JSON.stringify(frame)
  if (!plain.has(frame.type)) checkSize(new TextEncoder().encode(line), sizeLimits.message)
  return line
}
