import type { Clock } from '../../ports/clock.ts'
import type { Ids } from '../../ports/ids.ts'
import type { Disk } from './disk.ts'
import { nodeDisk } from './disk.ts'
import { withDurableFolders } from './durable-folders.ts'
import { layoutOf } from './layout.ts'
import type { HostFacts } from './process-identity.ts'
import { hostFacts } from './process-identity.ts'

/** What a JSON store is made of. */
export interface JsonStoreParts {
  readonly folder: string
  readonly clock: Clock
  readonly ids: Ids
  /** A segment of the journal is followed by the next one at this size. Default 16 MiB. */
  readonly segmentBytes?: number
  /** How much room is set aside behind the end of the journal, at most, while it is open. Default 512 KiB. */
  readonly roomBytes?: number
  /** How long `index.json` may stay behind the journal. Default 1 s. */
  readonly indexDelayMs?: number
  readonly host?: HostFacts
  readonly disk?: Disk
}

const defaults = { segmentBytes: 16 * 1024 * 1024, roomBytes: 512 * 1024, indexDelayMs: 1000 }

export function completeParts(parts: JsonStoreParts): Required<JsonStoreParts> {
  const disk = withDurableFolders(parts.disk ?? nodeDisk, layoutOf(parts.folder).root)
  return { ...defaults, host: hostFacts, ...parts, disk }
}
