import { userInfo } from 'node:os'

/** A signal that asks the command line to end; a closed output counts as one. */
export type EndSignal = 'SIGINT' | 'SIGTERM' | 'SIGHUP' | 'SIGPIPE'

/** The world of the command line: streams, keys, signals and time. The one place that touches `process` and timers. */
export interface Terminal {
  /** Whether standard output can be drawn over. */
  readonly live: boolean
  /** Whether somebody is there to answer: input and output are a terminal. */
  readonly interactive: boolean
  readonly colour: boolean
  readonly stdout: NodeJS.WriteStream
  columns(): number
  rows(): number
  out(text: string | Uint8Array): void
  err(text: string): void
  /** Epoch milliseconds. */
  now(): number
  /** Who is at the keyboard, for verdicts and cancellations. */
  user(): string
  /** Calls back again and again, without keeping the process alive. Gives a function that stops it. */
  every(ms: number, tick: () => void): () => void
  /** Keeps the process alive while only other processes can go on: a verdict is awaited, a run is paused. Gives a function that ends it. */
  stay(): () => void
  /** Hears single keys. Ctrl-C still interrupts. Gives a function that ends it. */
  keys(press: (key: string) => void): () => void
  /** Hears what would end the process, in its place. Gives a function that ends it. */
  onEnd(listener: (signal: EndSignal) => void): () => void
}

/** The terminal of this process. */
export function systemTerminal(): Terminal {
  const { stdin, stdout, stderr } = process
  const { NO_COLOR, FORCE_COLOR, TERM } = process.env
  const listeners = new Set<(signal: EndSignal) => void>()
  const live = stdout.isTTY === true && TERM !== 'dumb'
  let isOpen = true

  const tell = (signal: EndSignal) => {
    for (const listener of listeners) listener(signal)
  }
  // A reader that went away, as `| head` does, ends the command without a word.
  const brokenPipe = (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE' || !isOpen) return
    isOpen = false
    if (listeners.size > 0) tell('SIGPIPE')
    else process.exit(0)
  }
  stdout.on('error', brokenPipe)
  stderr.on('error', () => {})

  return {
    live,
    interactive: live && stdin.isTTY === true,
    colour: (NO_COLOR ?? '') === '' && (live || ((FORCE_COLOR ?? '') !== '' && FORCE_COLOR !== '0')),
    stdout,
    columns: () => stdout.columns ?? 100,
    rows: () => stdout.rows ?? 24,
    out(text) {
      if (isOpen) stdout.write(text)
    },
    err: (text) => void stderr.write(text),
    now: () => Date.now(),
    user,
    every(ms, tick) {
      const timer = setInterval(tick, ms)
      timer.unref()
      return () => clearInterval(timer)
    },
    stay() {
      const timer = setInterval(() => {}, 60_000)
      return () => clearInterval(timer)
    },
    keys(press) {
      const hear = (bytes: Buffer) => {
        for (const key of bytes.toString()) {
          if (key === '\u0003') tell('SIGINT')
          else press(key)
        }
      }
      stdin.setRawMode(true)
      stdin.on('data', hear).resume()
      return () => {
        stdin.off('data', hear).pause()
        stdin.setRawMode(false)
      }
    },
    onEnd(listener) {
      const signals = (['SIGINT', 'SIGTERM', 'SIGHUP'] as const).map((signal) => [signal, () => listener(signal)] as const)
      listeners.add(listener)
      for (const [signal, hear] of signals) process.on(signal, hear)
      return () => {
        listeners.delete(listener)
        for (const [signal, hear] of signals) process.off(signal, hear)
      }
    },
  }
}

function user(): string {
  try {
    return userInfo().username
  } catch {
    return 'operator'
  }
}
