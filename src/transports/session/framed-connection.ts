import { FleetError } from '../../protocol/errors.ts'
import { readWorkerFrame } from '../../protocol/worker-frame.ts'
import type { FleetFrame, WorkerFrame } from '../../protocol/worker-protocol.ts'
import type { WorkerConnection } from '../../ports/worker-connection.ts'

/** What hears a {@link FramedConnection}. */
export interface FrameListener {
  frame(frame: WorkerFrame): void
  end(reason: string): void
}

/** The fleet's end of a line to a worker, in frames of the protocol. */
export interface FramedConnection {
  send(frame: FleetFrame): void
  /** Says why something was not taken, and ends the line (HO8). Only the first counts. */
  refuse(code: string, reason: string): void
  /** Called once; what came before is heard first. */
  listen(listener: FrameListener): void
  close(reason: string): void
  pause(isPaused: boolean): void
}

/**
 * Reads the lines of a worker: size and depth are counted on the bytes before anything is parsed, and a line that is no frame ends the
 * line, with an answer that says what was expected (HO8). Pings are answered here.
 */
export function frameConnection(connection: WorkerConnection): FramedConnection {
  const waiting: WorkerFrame[] = []
  let listener: FrameListener | undefined
  let ended: string | undefined
  let isRefused = false

  const send = (frame: FleetFrame) => connection.send(JSON.stringify(frame))
  const end = (reason: string) => {
    if (ended !== undefined) return
    ended = reason
    listener?.end(reason)
  }
  const close = (reason: string) => {
    connection.close(reason)
    end(reason)
  }
  const refuse = (code: string, reason: string) => {
    if (isRefused || ended !== undefined) return
    isRefused = true
    send({ type: 'refused', code, reason })
    close(reason)
  }
  const take = (frame: WorkerFrame) => {
    if (frame.type === 'ping') return send({ type: 'pong' })
    if (listener === undefined) waiting.push(frame)
    else listener.frame(frame)
  }

  connection.listen({
    line(line) {
      if (isRefused || ended !== undefined) return
      const reading = readWorkerFrame(typeof line === 'string' ? encoder.encode(line) : line)
      if (reading.ok) take(reading.frame)
      else refuse(reading.refusal.code, reading.refusal.message)
    },
    end,
  })

  return {
    send,
    refuse,
    close,
    listen(hearing) {
      listener = hearing
      for (const frame of waiting.splice(0)) hearing.frame(frame)
      if (ended !== undefined) hearing.end(ended)
    },
    pause: (isPaused) => connection.pause?.(isPaused),
  }
}

const encoder = new TextEncoder()

/** Why a frame is refused that says something which may not be said where it came. */
export function outOfPlace(what: string): FleetError {
  return new FleetError('invalid_message', `The worker sent ${what}, so it was not taken. Mend the worker.`)
}
