import type { ByteAutomaton } from './byte-automaton.ts'
import { breakOff, type Fold } from './secret-forms.ts'

/** Hears of a pattern that ends at a byte: where it began and ended in the text, and its number. */
export type Found = (start: number, end: number, pattern: number) => void

/** Follows the patterns of one way of writing through a stream of bytes that each have a place in a text. */
export interface PatternTrack {
  take(byte: number, start: number, end: number): void
  /** Where in the text that begins which may yet become a pattern; infinite when nothing has begun. */
  openFrom(): number
  /** Goes on where another track of the same patterns stands. */
  goOnFrom(other: PatternTrack): void
  forget(): void
  readonly position: Position
}

interface Position {
  state: number
  /** Bytes passed over since the last one that counted. */
  passed: number
  /** Bytes taken since nothing had begun, or longer. */
  count: number
  /** Where the last of them began in the text, in a ring. */
  starts: Float64Array
}

/** More bytes than these are not passed over: whatever had begun before them has ended. */
const mostPassed = 64

export function createPatternTrack(automaton: ByteAutomaton, fold: Fold, found: Found): PatternTrack {
  const size = 2 ** Math.ceil(Math.log2(automaton.longest + 1))
  const position: Position = { state: 0, passed: 0, count: 0, starts: new Float64Array(size) }
  const startOf = (depth: number): number => position.starts[(position.count - depth) & (size - 1)] ?? 0

  return {
    position,
    take(byte, start, end) {
      const folded = fold[byte] ?? breakOff
      if (folded < 0) {
        position.passed += 1
        if (folded === breakOff || position.passed > mostPassed) position.state = 0
        return
      }
      position.passed = 0
      const state = automaton.step(position.state, folded)
      position.state = state
      if (state === 0) return
      position.starts[position.count & (size - 1)] = start
      position.count += 1
      const length = automaton.matchOf(state)
      if (length > 0) found(startOf(length), end, automaton.patternOf(state))
    },
    openFrom: () => (position.state === 0 ? Infinity : startOf(automaton.depthOf(position.state))),
    goOnFrom(other) {
      position.state = other.position.state
      position.passed = other.position.passed
      position.count = other.position.count
      if (position.state !== 0) position.starts.set(other.position.starts)
    },
    forget() {
      position.state = 0
    },
  }
}
