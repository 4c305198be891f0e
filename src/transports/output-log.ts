/** The output of one command on its way to the fleet. */
export interface OutputLog {
  /** Adds whole lines. */
  write(lines: string): void
  /** Sends what was held back. */
  flush(): void
  /** The end of what was written, for a reason. */
  readonly recent: string
}

/** How much of the end of a flood is kept while the reader is behind. */
const heldChars = 64 * 1024
/** How much of the end of all output a reason may quote. */
const recentChars = 2000

/**
 * Passes output on while the reader keeps up. When more than `limit` lies unread it keeps only the newest lines, and says how many
 * bytes it left out: a command that floods is never blocked, and costs bounded memory (HO4).
 */
export function createOutputLog(options: {
  readonly limit: number
  readonly unread: () => number
  readonly send: (text: string) => void
}): OutputLog {
  const { limit, unread, send } = options
  let held = ''
  let leftOut = 0
  let recent = ''

  const hold = (lines: string) => {
    held += lines
    if (held.length <= 2 * heldChars) return
    const cut = held.length - heldChars
    leftOut += Buffer.byteLength(held.slice(0, cut))
    held = held.slice(cut)
  }
  const flush = () => {
    if (leftOut > 0) send(`[${leftOut} bytes of output left out: they came faster than they could be kept]\n`)
    if (held !== '') send(held)
    held = ''
    leftOut = 0
  }

  return {
    write(lines) {
      recent = (recent + lines.slice(-recentChars)).slice(-recentChars)
      if (unread() > limit) return hold(lines)
      flush()
      send(lines)
    },
    flush,
    get recent() {
      return recent
    },
  }
}
