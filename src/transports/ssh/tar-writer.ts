const block = 512
const longestName = 100

/** A regular file of an archive. */
export interface ArchivedFile {
  /** Relative, with `/` between its parts. */
  readonly path: string
  readonly bytes: Uint8Array
  readonly isExecutable: boolean
}

/** Writes one file of a tar archive, in the way that every `tar` reads: names that do not fit stand in an entry of their own before it. */
export function tarEntry({ path, bytes, isExecutable }: ArchivedFile): Uint8Array {
  const name = Buffer.from(path)
  const long =
    name.length > longestName
      ? [
          header({ name: Buffer.from('././@LongLink'), size: name.length + 1, mode: 0o644, type: 'L' }),
          padded(Buffer.concat([name, Buffer.alloc(1)])),
        ]
      : []
  const mode = isExecutable ? 0o755 : 0o644
  return Buffer.concat([
    ...long,
    header({ name: name.subarray(0, longestName), size: bytes.length, mode, type: '0' }),
    padded(bytes),
  ])
}

/** The end of an archive. */
export const tarEnd: Uint8Array = Buffer.alloc(2 * block)

function header({
  name,
  size,
  mode,
  type,
}: {
  readonly name: Buffer
  readonly size: number
  readonly mode: number
  readonly type: string
}): Buffer {
  const bytes = Buffer.alloc(block)
  name.copy(bytes)
  bytes.write(octal(mode, 7), 100)
  bytes.write(octal(0, 7), 108)
  bytes.write(octal(0, 7), 116)
  bytes.write(octal(size, 11), 124)
  bytes.write(octal(0, 11), 136)
  bytes.write(' '.repeat(8), 148)
  bytes.write(type, 156)
  bytes.write('ustar\u000000', 257)
  const sum = bytes.reduce((total, byte) => total + byte, 0)
  bytes.write(`${octal(sum, 6)}\0 `, 148)
  return bytes
}

function octal(value: number, digits: number): string {
  return value.toString(8).padStart(digits, '0')
}

function padded(bytes: Uint8Array): Buffer {
  return Buffer.concat([bytes, Buffer.alloc((block - (bytes.length % block)) % block)])
}
