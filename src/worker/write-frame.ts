import { checkSize, sizeLimits } from '../protocol/size-limit.ts'
import type { WorkerFrame } from '../protocol/worker-protocol.ts'

/** A frame as one line, without its line break. Throws `too_large` for what no fleet would take (HO8). */
export function writeFrame(frame: WorkerFrame): string {
  const line = JSON.stringify(frame)
  // Pieces of files are as large as they may be, and flat.
  if (frame.type !== 'chunk') checkSize(new TextEncoder().encode(line), sizeLimits.message)
  return line
}
