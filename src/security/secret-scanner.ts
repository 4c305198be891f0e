import type { ByteAutomaton } from './byte-automaton.ts'
import { escapeKinds, type EscapeKind } from './escapes.ts'
import { createPatternTrack, type Found, type PatternTrack } from './pattern-track.ts'
import type { Fold } from './secret-forms.ts'

/** Looks for patterns in the bytes of a text, given piece by piece: as they stand, and as what their escapes stand for. */
export interface SecretScanner {
  take(byte: number, start: number): void
  /** No byte follows: what began like an escape was none. */
  end(): void
  /** Nothing that is found later begins before this place of the text. */
  openFrom(): number
  /** Begins anew. */
  forget(): void
}

/** The patterns of one way of writing. */
export interface WritingPatterns {
  readonly automaton: ByteAutomaton
  readonly fold: Fold
  /** Hears of its patterns. */
  readonly found: Found
}

/** Escapes of any kinds may lie over each other this often. */
const deepestMixed = 2
/** JSON that is quoted in JSON again and again: a message about a message about a text. */
const deepestSame = 5

/** The time grows with the text alone; a text without escapes is read once, and each kind of escape in it adds one reading. */
export function createSecretScanner(patterns: readonly WritingPatterns[]): SecretScanner {
  const root = createLayer(patterns, [])
  return {
    take: (byte, start) => root.take(byte, start, start + 1),
    end: () => root.end(),
    openFrom: () => root.openFrom(),
    forget: () => root.forget(),
  }
}

/** A text as it reads once some escapes are taken away, with the same once more over it. */
interface Layer {
  take(byte: number, start: number, end: number): void
  end(): void
  openFrom(): number
  forget(): void
  /** Begins where the tracks of another layer stand. */
  goOnFrom(below: readonly PatternTrack[]): void
  /** Nothing has begun in it. */
  isIdle(): boolean
}

/** `taken`: the kinds of escape that were taken away to come to it. */
function createLayer(patterns: readonly WritingPatterns[], taken: readonly EscapeKind[]): Layer {
  const tracks = patterns.map(({ automaton, fold, found }) => createPatternTrack(automaton, fold, found))
  const escapes = escapeKinds
    .filter((kind) => taken.length < (taken.every((one) => one === kind) ? deepestSame : deepestMixed))
    .map((kind) => createEscapeReader(kind, () => createLayer(patterns, [...taken, kind])))
  const begins = beginnings(patterns)
  let idle = true
  return {
    take(byte, start, end) {
      if (idle && begins[byte] === 0) return
      // First the layers above: one that begins here goes on from where this one stands.
      for (const escape of escapes) escape.take(byte, start, end, tracks)
      for (const track of tracks) track.take(byte, start, end)
      idle = isQuiet(tracks)
      for (const escape of escapes) if (!escape.isIdle(idle)) idle = false
    },
    end() {
      for (const escape of escapes) escape.end()
    },
    openFrom: () => Math.min(...tracks.map((track) => track.openFrom()), ...escapes.map((escape) => escape.openFrom())),
    forget() {
      for (const track of tracks) track.forget()
      for (const escape of escapes) escape.forget()
      idle = true
    },
    goOnFrom(below) {
      tracks.forEach((track, index) => {
        const from = below[index]
        if (from !== undefined) track.goOnFrom(from)
      })
      idle = isQuiet(tracks)
    },
    isIdle: () => idle,
  }
}

/** Which bytes begin a pattern or an escape: while nothing has begun, no other one matters. */
function beginnings(patterns: readonly WritingPatterns[]): Uint8Array {
  const begins = new Uint8Array(256)
  for (const { trigger } of escapeKinds) begins[trigger] = 1
  for (const { automaton, fold } of patterns) {
    for (let byte = 0; byte < 256; byte++) {
      const folded = fold[byte] ?? -1
      if (folded >= 0 && automaton.step(0, folded) !== 0) begins[byte] = 1
    }
  }
  return begins
}

function isQuiet(tracks: readonly PatternTrack[]): boolean {
  for (const track of tracks) if (track.position.state !== 0) return false
  return true
}

interface EscapeReader {
  take(byte: number, start: number, end: number, below: readonly PatternTrack[]): void
  end(): void
  openFrom(): number
  forget(): void
  /** Nothing has begun in it; where nothing has begun below either, it waits for its next escape. */
  isIdle(isQuietBelow: boolean): boolean
}

/** Takes one kind of escape away. Up to the first of them there is nothing to do: both readings are the same. */
function createEscapeReader({ trigger, read }: EscapeKind, createAbove: () => Layer): EscapeReader {
  let above: Layer | undefined
  let isActive = false
  /** What may be the beginning of an escape. */
  const bytes: number[] = []
  const starts: number[] = []
  const ends: number[] = []

  const handOn = (layer: Layer): void => layer.take(bytes.shift() ?? 0, starts.shift() ?? 0, ends.shift() ?? 0)
  const settle = (layer: Layer): void => {
    while (bytes.length > 0) {
      const reading = bytes[0] === trigger ? read(bytes) : 'none'
      if (reading === 'open') return
      if (reading === 'none') handOn(layer)
      else {
        const start = starts[0] ?? 0
        const end = ends[ends.length - 1] ?? 0
        bytes.length = starts.length = ends.length = 0
        for (const byte of reading) layer.take(byte, start, end)
      }
    }
  }
  const activate = (below: readonly PatternTrack[]): Layer => {
    above ??= createAbove()
    above.goOnFrom(below)
    isActive = true
    return above
  }

  return {
    take(byte, start, end, below) {
      if (!isActive && byte !== trigger) return
      const layer = isActive && above !== undefined ? above : activate(below)
      if (bytes.length === 0 && byte !== trigger) return layer.take(byte, start, end)
      bytes.push(byte)
      starts.push(start)
      ends.push(end)
      settle(layer)
    },
    end() {
      if (!isActive || above === undefined) return
      while (bytes.length > 0) handOn(above)
      above.end()
    },
    openFrom: () => (isActive ? Math.min(starts[0] ?? Infinity, above?.openFrom() ?? Infinity) : Infinity),
    forget() {
      if (!isActive) return
      isActive = false
      bytes.length = starts.length = ends.length = 0
      above?.forget()
    },
    isIdle(isQuietBelow) {
      if (!isActive) return true
      if (bytes.length > 0 || above?.isIdle() !== true) return false
      if (isQuietBelow) isActive = false
      return !isActive
    },
  }
}
