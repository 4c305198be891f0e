import { FleetError } from '../../protocol/errors.ts'
import type { StoreOwner } from '../../ports/store.ts'
import type { Disk } from './disk.ts'
import { readJournal } from './journal-bytes.ts'
import type { HostFacts } from './process-identity.ts'
import type { SegmentChain } from './segment-chain.ts'
import { segmentPath } from './segment-chain.ts'
import { decodeLine } from './segment-line.ts'

/** Longer than a closing line can be. */
const closingBytes = 128

/** Who owns the journal: the owner of its newest segment, unless that one closed it. */
export async function readOwner(
  disk: Disk,
  journal: string,
  chain: SegmentChain,
  host: HostFacts,
): Promise<StoreOwner | undefined> {
  const { newest } = chain
  if (newest === undefined || (await isClosed(disk, segmentPath(journal, newest.segment)))) return undefined
  const owner = newest.header?.owner
  if (owner === undefined)
    return { instance: 'unknown', epoch: newest.epoch, host: 'unknown', pid: 0, since: 0, alive: undefined }
  return {
    instance: owner.instance,
    epoch: newest.epoch,
    host: owner.host,
    pid: owner.pid,
    since: owner.since,
    alive: host.isAlive(owner),
  }
}

/** The refusal that names the owner (ST6). */
export function ownedError(folder: string, owner: StoreOwner): FleetError {
  const who = `process ${owner.pid} on ${owner.host} (${owner.instance}, since ${new Date(owner.since).toISOString()})`
  const advice =
    owner.alive === undefined
      ? 'Whether it still runs cannot be told from here: make sure that it does not, then take the store over.'
      : 'Stop it, wait for it, or send it a command.'
  return new FleetError('store_owned', `The store in ${folder} is owned by ${who}. ${advice}`, { details: { owner } })
}

async function isClosed(disk: Disk, path: string): Promise<boolean> {
  const size = (await disk.facts(path))?.size ?? 0
  const tail = await readJournal(disk, path, Math.max(0, size - closingBytes), size)
  if (tail.at(-1) !== 10) return false
  const line = tail.subarray(tail.lastIndexOf(10, -2) + 1, -1)
  return decodeLine(line)?.kind === 'closed'
}
