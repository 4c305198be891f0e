import type { Clock } from '../../ports/clock.ts'
import type { WorkerConnection } from '../../ports/worker-connection.ts'
import { FleetError } from '../../protocol/errors.ts'
import { workerProtocolVersion } from '../../protocol/worker-protocol.ts'
import type { HelloFrame } from '../../protocol/worker-protocol.ts'
import { frameConnection, outOfPlace } from './framed-connection.ts'
import type { FramedConnection, FrameListener } from './framed-connection.ts'

/** A worker that has said hello and waits for its answer. */
export interface Greeting {
  readonly hello: HelloFrame
  readonly line: FramedConnection
}

/**
 * Waits for the `hello` of a worker. Rejects when none comes in time, when something else comes first, when the worker speaks another
 * version of the protocol, and when the line ends; the line is closed then, with a `refused` where somebody hears it.
 */
export function greet(
  connection: WorkerConnection,
  options: { readonly clock: Clock; readonly helloTimeoutMs: number; readonly signal?: AbortSignal },
): Promise<Greeting> {
  const { clock, helloTimeoutMs, signal } = options
  const line = frameConnection(connection)
  return new Promise((resolve, reject) => {
    const waiting: Parameters<FrameListener['frame']>[0][] = []
    let later: FrameListener | undefined
    let ended: string | undefined
    let isSettled = false

    const settle = (act: () => void) => {
      if (isSettled) return
      isSettled = true
      disarm()
      signal?.removeEventListener('abort', abort)
      act()
    }
    const refuse = (code: string, reason: string) =>
      settle(() => {
        line.refuse(code, reason)
        reject(new FleetError('invalid_message', reason))
      })
    const abort = () =>
      settle(() => {
        line.close('the start was given up')
        reject(new FleetError('fleet_closed', 'The start of the worker was given up.'))
      })
    const disarm = clock.alarm(
      helloTimeoutMs,
      () => refuse('invalid_message', `The worker did not say hello within ${helloTimeoutMs / 1000} s.`),
      { keepAlive: false },
    )
    if (signal?.aborted === true) abort()
    signal?.addEventListener('abort', abort)

    line.listen({
      frame(frame) {
        if (later !== undefined) return later.frame(frame)
        if (isSettled) return void waiting.push(frame)
        if (frame.type !== 'hello') return refuse('invalid_message', outOfPlace(`a ${frame.type} before its hello`).message)
        if (frame.protocol !== workerProtocolVersion) {
          const reason = `The worker speaks version ${frame.protocol} of the worker protocol; this fleet speaks ${workerProtocolVersion}.`
          return refuse('unsupported_protocol', reason)
        }
        settle(() =>
          resolve({
            hello: frame,
            line: {
              ...line,
              listen(listener) {
                later = listener
                for (const early of waiting.splice(0)) listener.frame(early)
                if (ended !== undefined) listener.end(ended)
              },
            },
          }),
        )
      },
      end(reason) {
        ended = reason
        later?.end(reason)
        settle(() => reject(new FleetError('invalid_message', `The worker was gone before it said hello: ${reason}.`)))
      },
    })
  })
}
