/** One entry of an archive. */
export interface TarEntry {
  readonly path: string
  readonly kind: 'file' | 'folder' | 'link' | 'other'
  readonly size: number
}

/** Whoever takes what an archive holds. */
export interface TarListener {
  /** A new entry; its bytes follow, where it is a file. */
  entry(entry: TarEntry): Promise<void>
  bytes(bytes: Uint8Array): Promise<void>
  /** All bytes of a file were there. */
  end(): Promise<void>
}

const block = 512
/** A name, or an extended header, is far shorter. */
const longestMeta = 64 * 1_024

/**
 * Reads a tar archive as it comes, in the formats that GNU, BSD and busybox write. Throws where it is none, or is cut short. It believes
 * nothing: what the entries may do is for whoever listens to judge.
 */
export function createTarReader(listener: TarListener): { write(bytes: Uint8Array): Promise<void>; end(): void } {
  let held: Buffer = Buffer.alloc(0)
  let state:
    | { readonly kind: 'header' }
    | { readonly kind: 'file' | 'skip' | 'meta'; left: number; padding: number; readonly type: string } = { kind: 'header' }
  let meta: Buffer[] = []
  let given: { path?: string; size?: number } = {}
  let isOver = false

  async function take(piece: Buffer): Promise<void> {
    if (state.kind === 'file') await listener.bytes(piece)
    if (state.kind === 'meta') meta.push(piece)
  }

  async function begin(header: Buffer): Promise<void> {
    if (header.every((byte) => byte === 0)) {
      isOver = true
      return
    }
    if (!isSummed(header)) throw new Error('what came is no tar archive')
    const type = String.fromCharCode(header[156] ?? 0)
    const size = given.size ?? numberOf(header.subarray(124, 136))
    if (!Number.isSafeInteger(size) || size < 0) throw new Error('a tar archive with an entry of no size')
    if (type === 'L' || type === 'x') {
      if (size > longestMeta) throw new Error('a tar archive with a name that is too long')
      state = { kind: 'meta', left: size, padding: paddingOf(size), type }
      meta = []
      return
    }
    if (type === 'K' || type === 'g') {
      state = { kind: 'skip', left: size, padding: paddingOf(size), type }
      return
    }
    const kind = kinds[type] ?? 'other'
    // Links have no bytes, whatever size they say.
    const left = kind === 'link' || kind === 'folder' ? 0 : size
    await listener.entry({ path: given.path ?? nameOf(header), kind, size: left })
    given = {}
    state = { kind: kind === 'file' ? 'file' : 'skip', left, padding: paddingOf(left), type }
    if (left === 0) await finish()
  }

  async function finish(): Promise<void> {
    if (state.kind === 'header') return
    if (state.kind === 'file') await listener.end()
    if (state.kind === 'meta') {
      const text = Buffer.concat(meta)
      given = state.type === 'L' ? { ...given, path: text.toString().replace(/\0.*$/s, '') } : { ...given, ...extended(text) }
    }
    if (state.padding === 0) state = { kind: 'header' }
  }

  return {
    async write(bytes) {
      let rest = held.length === 0 ? Buffer.from(bytes) : Buffer.concat([held, bytes])
      held = Buffer.alloc(0)
      while (rest.length > 0 && !isOver) {
        if (state.kind === 'header') {
          if (rest.length < block) break
          await begin(rest.subarray(0, block))
          rest = rest.subarray(block)
        } else if (state.left > 0) {
          const piece = rest.subarray(0, state.left)
          await take(piece)
          state.left -= piece.length
          rest = rest.subarray(piece.length)
          if (state.left === 0) await finish()
        } else {
          const skipped = Math.min(rest.length, state.padding)
          state.padding -= skipped
          rest = rest.subarray(skipped)
          if (state.padding === 0) state = { kind: 'header' }
        }
      }
      if (!isOver) held = rest
    },
    end() {
      if (!isOver) throw new Error('a tar archive that was cut short')
    },
  }
}

const kinds: Readonly<Record<string, TarEntry['kind']>> = {
  '0': 'file',
  '\0': 'file',
  '7': 'file',
  '1': 'link',
  '2': 'link',
  '5': 'folder',
}

function paddingOf(size: number): number {
  return (block - (size % block)) % block
}

function isSummed(header: Buffer): boolean {
  const sum = header.reduce((total, byte, at) => total + (at >= 148 && at < 156 ? 0x20 : byte), 0)
  return numberOf(header.subarray(148, 156)) === sum
}

/** Octal digits, or, for what is too large for them, a number in base 256. */
function numberOf(field: Buffer): number {
  if ((field[0] ?? 0) >= 0x80) return field.subarray(1).reduce((value, byte) => value * 256 + byte, (field[0] ?? 0) & 0x7f)
  const digits = textOf(field).trim()
  return digits === '' ? 0 : /^[0-7]+$/.test(digits) ? Number.parseInt(digits, 8) : Number.NaN
}

function textOf(field: Buffer): string {
  const end = field.indexOf(0)
  return field.subarray(0, end < 0 ? field.length : end).toString()
}

/** The name in two fields; only POSIX archives have the second. */
function nameOf(header: Buffer): string {
  const prefix = header.subarray(257, 263).toString('latin1') === 'ustar\0' ? textOf(header.subarray(345, 500)) : ''
  const name = textOf(header.subarray(0, 100))
  return prefix === '' ? name : `${prefix}/${name}`
}

/** `LENGTH NAME=VALUE`, one behind the other. */
function extended(bytes: Buffer): { path?: string; size?: number } {
  const found: { path?: string; size?: number } = {}
  for (let at = 0; at < bytes.length;) {
    const blank = bytes.indexOf(0x20, at)
    const length = Number.parseInt(bytes.subarray(at, blank).toString(), 10)
    if (blank < 0 || !(length > 0)) throw new Error('a tar archive with a broken extended header')
    const [name, ...value] = bytes
      .subarray(blank + 1, at + length - 1)
      .toString()
      .split('=')
    if (name === 'path') found.path = value.join('=')
    if (name === 'size') found.size = Number(value.join('='))
    at += length
  }
  return found
}
