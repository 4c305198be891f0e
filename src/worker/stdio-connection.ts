import type { Clock } from '../ports/clock.ts'
import type { ConnectionListener, WorkerConnection } from '../ports/worker-connection.ts'
import { createLineSplitter } from './line-splitter.ts'
import { takeStandardOutput } from './standard-output.ts'

/**
 * The line to whoever started this process: lines of standard input and standard output. It ends on the end of standard input (HO5), and
 * then no longer keeps the process alive.
 */
export function stdioConnection({ clock }: { readonly clock: Pick<Clock, 'turn'> }): WorkerConnection {
  const { stdin, stdout } = process
  const write = takeStandardOutput()
  let listener: ConnectionListener | undefined
  let hasEnded = false
  let unsent = ''

  const flush = () => {
    if (unsent !== '') write(unsent)
    unsent = ''
  }
  const end = (reason: string) => {
    if (hasEnded) return
    flush()
    hasEnded = true
    stdin.destroy()
    listener?.end(reason)
  }

  return {
    send(line) {
      if (hasEnded) return
      // What is said in one turn of the loop is written at once.
      if (unsent === '') void clock.turn().then(flush)
      unsent += `${line}\n`
    },
    listen(given) {
      listener = given
      stdout.on('error', (error) => end(`standard output: ${error.message}`))
      stdin.on(
        'data',
        createLineSplitter((line) => void (hasEnded || given.line(line))),
      )
      stdin.on('end', () => end('standard input has ended'))
      stdin.on('close', () => end('standard input was closed'))
      stdin.on('error', (error) => end(`standard input: ${error.message}`))
    },
    close: end,
  }
}
