import { createHash, randomFillSync } from 'node:crypto'
import type { Ids } from '../ports/ids.ts'

const alphabet = '0123456789abcdefghijklmnopqrstuvwxyz'
/** 18 letters of base 36 are 93 bits. */
const idLength = 18
/** Draws from here on are thrown away: 36 does not divide 2^32, and no letter may be likelier than another. */
const evenDraws = 2 ** 32 - (2 ** 32 % alphabet.length)

/** Ids and chance from the operating system's random source. */
export function systemIds(): Ids {
  const pool = new Uint32Array(256)
  let used = pool.length
  return createIds(() => {
    if (used === pool.length) {
      randomFillSync(pool)
      used = 0
    }
    return pool[used++]!
  })
}

/** Ids and chance that follow from a seed: the same seed and the same calls give the same answers (CO2). For tests and replays. */
export function seededIds(seed: string): Ids {
  return { ...createIds(smallFastCounter(seed)), forEpoch: (epoch) => createIds(smallFastCounter(`${seed} ${epoch}`)) }
}

function createIds(next32: () => number): Ids {
  return {
    next: (prefix) => `${prefix}-${Array.from({ length: idLength }, () => letter(next32)).join('')}`,
    random: () => (next32() * 2 ** 21 + (next32() >>> 11)) / 2 ** 53,
  }
}

function letter(next32: () => number): string {
  for (;;) {
    const draw = next32()
    if (draw < evenDraws) return alphabet.charAt(draw % alphabet.length)
  }
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
