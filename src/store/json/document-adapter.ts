import { crc32 } from 'node:zlib'
import type { Adapter } from 'lowdb'
import { FleetError } from '../../protocol/errors.ts'
import type { Disk } from './disk.ts'
import { storeFormat } from './segment-line.ts'
import { replaceFile } from './whole-file.ts'

/** What a document file holds around its data. */
interface Envelope {
  readonly flotilla: { readonly format: number; readonly document: string }
  /** Checksum of the data's text. */
  readonly crc: string
  readonly data: unknown
}

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

  constructor(disk: Disk, path: string, kind: string, unique: () => string) {
    this.#disk = disk
    this.#path = path
    this.#kind = kind
    this.#unique = unique
  }

  async read(): Promise<T | null> {
    const envelope = parseEnvelope(await this.#disk.read(this.#path).catch(() => Buffer.alloc(0)))
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
    const isWhole = document === this.#kind && envelope.crc === checksum(JSON.stringify(envelope.data))
    return isWhole ? (envelope.data as T) : null
  }

  async write(data: T): Promise<void> {
    const text = JSON.stringify(data)
    const top = JSON.stringify({ flotilla: { format: storeFormat, document: this.#kind }, crc: checksum(text) })
    await replaceFile(this.#disk, this.#path, Buffer.from(`${top.slice(0, -1)},\n"data":${text}}\n`), this.#unique())
  }
}

function parseEnvelope(bytes: Buffer): Envelope | undefined {
  try {
    const value = JSON.parse(bytes.toString()) as Partial<Envelope> | null
    return typeof value?.flotilla?.format === 'number' && value.data !== undefined ? (value as Envelope) : undefined
  } catch {
    return undefined
  }
}

function checksum(text: string): string {
  return crc32(text).toString(16).padStart(8, '0')
}
