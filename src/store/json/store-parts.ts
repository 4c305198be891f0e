import type { Clock } from '../../ports/clock.ts'
import type { Ids } from '../../ports/ids.ts'
import type { Disk } from './disk.ts'
import { nodeDisk } from './disk.ts'
import { withDurableFolders } from './durable-folders.ts'
import { usualLineChars } from './group.ts'
import type { HostFacts } from './process-identity.ts'
import { hostFacts } from './process-identity.ts'
import { type JsonStoreFacts, storeFacts } from './store-facts.ts'

/** What a JSON store is made of. */
export interface JsonStoreParts {
  readonly folder: string
  /** What the folder was when the store was named. Default: what it is now. */
  readonly facts?: JsonStoreFacts
  readonly clock: Clock
  readonly ids: Ids
  /** A segment of the journal is followed by the next one at this size. Default 16 MiB. */
  readonly segmentBytes?: number
  /** A line of the journal takes no more entries of a batch once they make this much text. Default 16 Ki UTF-16 units. */
  readonly lineChars?: number
  /** How much room is set aside behind the end of the journal, at most, while it is open. Default 512 KiB. */
  readonly roomBytes?: number
  /** How long `index.json` may stay behind the journal. Default 1 s. */
  readonly indexDelayMs?: number
  readonly host?: HostFacts
  readonly disk?: Disk
}

const defaults = { segmentBytes: 16 * 1024 * 1024, lineChars: usualLineChars, roomBytes: 512 * 1024, indexDelayMs: 1000 }

export function completeParts(parts: JsonStoreParts): Required<JsonStoreParts> {
  const { facts = storeFacts(parts.folder) } = parts
  const disk = withDurableFolders(parts.disk ?? nodeDisk, facts.home)
  return { ...defaults, host: hostFacts, ...parts, facts, disk }
}
