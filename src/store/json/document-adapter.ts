import { crc32 } from 'node:zlib'
import type { Adapter } from 'lowdb'
import { FleetError } from '../../protocol/errors.ts'
import type { Disk } from './disk.ts'
import { storeFormat } from './segment-line.ts'
import { replaceFile } from './whole-file.ts'

/** What a document file says before its data. */
interface Envelope {
  readonly flotilla: { readonly format: number; readonly document: string }
  /** Checksum of the data's bytes. */
  readonly crc: string
}

/** Stands between the envelope and the data; no string of JSON holds a line feed. */
const beforeData = Buffer.from(',\n"data":')
const afterData = Buffer.from('}\n')

/**
 * A lowdb adapter that survives a power loss: a temporary file, synced, renamed, its folder synced. Reading gives null for what is
 * missing or does not read as it was written, since every document can be made again from the journal; a newer format rejects
 * `store_too_new`.
 */
export class DocumentAdapter<T> implements Adapter<T> {
  readonly #disk: Disk
  readonly #path: string
  readonly #kind: string
  readonly #unique: () => string
  readonly #put: typeof replaceFile

  /** `put`: how the file comes to its place. */
  constructor(disk: Disk, path: string, kind: string, unique: () => string, put = replaceFile) {
    this.#disk = disk
    this.#path = path
    this.#kind = kind
    this.#unique = unique
    this.#put = put
  }

  async read(): Promise<T | null> {
    const bytes = await this.#disk.read(this.#path).catch(() => Buffer.alloc(0))
    const at = bytes.indexOf(beforeData)
    const envelope = parseEnvelope(`${bytes.toString('utf8', 0, Math.max(at, 0))}}`)
    if (envelope === undefined) return null
    const { format, document } = envelope.flotilla
    if (format > storeFormat)
      throw new FleetError(
        'store_too_new',
        `${this.#path} has store format ${format}; this version knows ${storeFormat}. Upgrade flotilla; nothing was changed.`,
        {
          details: { file: this.#path, format },
        },
      )
    const data = bytes.subarray(at + beforeData.length, bytes.length - afterData.length)
    const isWhole =
      document === this.#kind && bytes.subarray(-afterData.length).equals(afterData) && envelope.crc === checksum(data)
    return isWhole ? (JSON.parse(data.toString()) as T) : null
  }

  async write(data: T): Promise<void> {
    const bytes = Buffer.from(JSON.stringify(data))
    const top = JSON.stringify({
      flotilla: { format: storeFormat, document: this.#kind },
      crc: checksum(bytes),
    } satisfies Envelope)
    const whole = Buffer.concat([Buffer.from(top.slice(0, -1)), beforeData, bytes, afterData])
    await this.#put(this.#disk, this.#path, whole, this.#unique())
  }
}

function parseEnvelope(text: string): Envelope | undefined {
  try {
    const value = JSON.parse(text) as Partial<Envelope> | null
    return typeof value?.flotilla?.format === 'number' ? (value as Envelope) : undefined
  } catch {
    return undefined
  }
}

function checksum(data: Buffer): string {
  return crc32(data).toString(16).padStart(8, '0')
}
