import type { ChildProcessWithoutNullStreams } from 'node:child_process'
import { once } from 'node:events'
import type { Readable } from 'node:stream'
import type { Clock } from '../../ports/clock.ts'
import { createMarkedOutput, type MarkedOutput } from './marked-output.ts'

/** How a remote script ended. */
export type RemoteEnd =
  /** It carried its work out; the words are those of its last line. */
  | { readonly kind: 'said'; readonly words: readonly string[] }
  /** Nobody knows: the connection is gone, or never was. */
  | { readonly kind: 'lost'; readonly reason: string }

/** A script that runs at the other side. */
export interface RemoteProgram {
  /** Resolves with the first line that it says; undefined when it is lost before. */
  readonly begun: Promise<readonly string[] | undefined>
  /** Asks the remote program to end, kills it after the grace, and the connection when nothing comes of that (HO3). Again, with less grace, hurries. */
  terminate(graceMs: number): void
  /** Ends the connection at once; the other side ends what it runs by itself. */
  cut(): void
  /** Resolves when the connection is gone and everything that came was taken. Never rejects. */
  readonly ended: Promise<RemoteEnd>
}

/** What a remote script is fed, and who hears it. */
export interface RemoteConversation {
  readonly child: ChildProcessWithoutNullStreams
  readonly clock: Clock
  readonly mark: string
  /** What its standard input begins with; it stays open until the end. */
  readonly input: readonly (string | Uint8Array)[]
  /** Words after which the script has nothing more to say but bytes. */
  readonly isLast: (words: readonly string[]) => boolean
  readonly stdout?: (bytes: Uint8Array) => void
  /** Heard from where the script says on it that it has started; what came before is quoted where it is lost. */
  readonly stderr?: (bytes: Uint8Array) => void
  readonly after?: (bytes: Uint8Array) => Promise<void>
  /** How long the first line may take, from when all input was taken. */
  readonly startLimitMs: number
  /** How long the other side may take to end once its program was killed. */
  readonly endLimitMs: number
  /** How often the other side is told that somebody is there; undefined: it need not know. */
  readonly beatMs?: number
}

const quotedChars = 2_000

/** Speaks with a script that was started over ssh. */
export function converseWithRemote(conversation: RemoteConversation): RemoteProgram {
  const { child, clock, mark, isLast, stdout, stderr, after, startLimitMs, endLimitMs, beatMs } = conversation
  const over = new AbortController()
  let announceBegun!: (words: readonly string[] | undefined) => void
  const begun = new Promise<readonly string[] | undefined>((resolve) => (announceBegun = resolve))
  let hasBegun = false
  let isFed = false
  let last: readonly string[] | undefined
  let early = ''
  let fault: string | undefined
  let hurry: AbortController | undefined

  const quote = (bytes: Uint8Array) => (early = (early + Buffer.from(bytes).toString()).slice(-quotedChars))
  // The two streams come one as soon as the other, so each has its own line that divides it.
  const errors = createMarkedOutput(mark, {
    before: quote,
    output: (bytes) => stderr?.(bytes),
    said: () => false,
    after: () => Promise.resolve(),
  })
  const marked = createMarkedOutput(mark, {
    before: quote,
    output: (bytes) => stdout?.(bytes),
    said(words) {
      if (!hasBegun) begin(words)
      if (isLast(words)) last = words
      return last !== undefined
    },
    after: (bytes) => after?.(bytes) ?? Promise.resolve(),
  })

  function begin(words: readonly string[]): void {
    hasBegun = true
    announceBegun(words)
    if (beatMs !== undefined) void beat(beatMs)
  }

  async function beat(everyMs: number): Promise<void> {
    while (!over.signal.aborted) {
      child.stdin.write('beat\n')
      await clock.sleep(everyMs, { signal: over.signal, keepAlive: false })
    }
  }

  async function feed(): Promise<void> {
    for (const piece of conversation.input) {
      if (over.signal.aborted || child.stdin.destroyed) return
      if (!child.stdin.write(piece)) await Promise.race([once(child.stdin, 'drain'), once(over.signal, 'abort')])
    }
    isFed = true
  }

  /** Whoever hangs before it has begun is given up. */
  async function watchStart(): Promise<void> {
    await feed()
    await Promise.race([clock.sleep(startLimitMs, { signal: over.signal }), begun])
    if (hasBegun || over.signal.aborted) return
    fault = `nothing was heard of it for ${startLimitMs / 1000} s`
    child.kill('SIGKILL')
  }

  async function read(stream: Readable, into: MarkedOutput): Promise<void> {
    try {
      for await (const bytes of stream) await into.write(bytes as Buffer)
    } catch (error) {
      fault ??= error instanceof Error ? error.message : String(error)
      child.kill('SIGKILL')
    }
    into.end()
  }

  async function run(): Promise<RemoteEnd> {
    const closed = new Promise<void>((resolve) => child.once('close', resolve))
    child.on('error', (error) => (fault ??= error.message))
    // What is written to a connection that is gone is lost, and its end tells.
    child.stdin.on('error', () => {})
    const started = watchStart().catch(() => undefined)
    await Promise.all([read(child.stdout, marked), read(child.stderr, errors), closed])
    over.abort()
    child.stdin.destroy()
    announceBegun(undefined)
    await started
    if (fault === undefined && last !== undefined && child.exitCode === 0) return { kind: 'said', words: last }
    const said = early.trim().split('\n').slice(-3).join('\n')
    const reason =
      fault ?? (hasBegun || said === '' ? `the connection ended (${child.signalCode ?? `code ${child.exitCode}`})` : said)
    return { kind: 'lost', reason }
  }

  async function end(graceMs: number, signal: AbortSignal): Promise<void> {
    if (isFed) {
      child.stdin.write('term\n')
      await clock.sleep(graceMs, { signal })
      if (signal.aborted) return
      child.stdin.write('kill\n')
      child.stdin.end()
    } else {
      // A word would be taken for its input. What gets less than it was told of starts nothing.
      child.stdin.destroy()
    }
    await clock.sleep(endLimitMs, { signal })
    if (!signal.aborted) child.kill('SIGKILL')
  }

  const ended = run()
  return {
    begun,
    ended,
    cut: () => void child.kill('SIGKILL'),
    terminate(graceMs) {
      hurry?.abort()
      hurry = new AbortController()
      // It never rejects, and ends with the connection.
      void end(graceMs, AbortSignal.any([hurry.signal, over.signal]))
    },
  }
}
