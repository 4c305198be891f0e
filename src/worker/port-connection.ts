import type { MessagePort } from 'node:worker_threads'
import type { ConnectionListener, WorkerConnection } from '../ports/worker-connection.ts'

/** A line over a message port: each message is one line of the protocol, as text. */
export function portConnection(port: MessagePort): WorkerConnection {
  let listener: ConnectionListener | undefined
  let hasEnded = false
  const end = (reason: string) => {
    if (hasEnded) return
    hasEnded = true
    port.close()
    listener?.end(reason)
  }
  return {
    send(line) {
      if (!hasEnded) port.postMessage(line)
    },
    listen(given) {
      listener = given
      port.on('message', (line: unknown) => {
        if (!hasEnded) given.line(typeof line === 'string' ? line : JSON.stringify(line))
      })
      port.on('close', () => end('the message port was closed'))
    },
    close: end,
  }
}
