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
      crypto.getRandomValues(pool)
      used = 0
    }
    return pool[used++]!
  })
}

/** Ids and chance from a source of even draws of 32 bits. */
export function createIds(next32: () => number): Ids {
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
