import { createHash } from 'node:crypto'
import type { Ids } from '../ports/ids.ts'
import { createIds } from './ids.ts'

/** Ids and chance that follow from a seed: the same seed and the same calls give the same answers (CO2). For tests and replays. */
export function seededIds(seed: string): Ids {
  return { ...createIds(smallFastCounter(seed)), forEpoch: (epoch) => createIds(smallFastCounter(`${seed} ${epoch}`)) }
}

/** sfc32, seeded by the seed's hash. */
function smallFastCounter(seed: string): () => number {
  const hash = createHash('sha256').update(seed).digest()
  let a = hash.readInt32LE(0)
  let b = hash.readInt32LE(4)
  let c = hash.readInt32LE(8)
  let counter = hash.readInt32LE(12)
  return () => {
    const draw = (((a + b) | 0) + counter) | 0
    counter = (counter + 1) | 0
    a = b ^ (b >>> 9)
    b = (c + (c << 3)) | 0
    c = ((c << 21) | (c >>> 11)) + draw
    c |= 0
    return draw >>> 0
  }
}
