import type { RunReader } from '../index.ts'
import type { Board } from './board.ts'
import { oneLine } from './text-width.ts'

const everyTask = 8
const tailBytes = 2_000

/** Puts the last line that each running task wrote on the board; with very many running it would cost too much, and show too little. */
export async function readTails(board: Board, readers: ReadonlyMap<string, RunReader>): Promise<void> {
  for (const task of board.running().slice(0, everyTask)) {
    // A task that ended meanwhile, or a store that closes, only means that there is nothing to show.
    const log = await readers
      .get(task.run)
      ?.log(task.id, { attempt: task.attempt })
      .catch(() => undefined)
    const line = log === undefined ? undefined : lastLine(log.bytes)
    if (line !== undefined) task.doing = line
  }
}

function lastLine(bytes: Uint8Array): string | undefined {
  const text = new TextDecoder().decode(bytes.subarray(-tailBytes))
  return text
    .split('\n')
    .map(oneLine)
    .findLast((line) => line !== '')
}
