/** Finds many byte patterns in one pass: each byte costs a constant time, however many patterns there are (Aho–Corasick). */
export interface ByteAutomaton {
  /** The state after one more byte; 0 is where nothing has begun. */
  step(state: number, byte: number): number
  /** How many of the last bytes may be the beginning of a pattern. */
  depthOf(state: number): number
  /** The length of the longest pattern that ends here, 0 for none. */
  matchOf(state: number): number
  /** The number of that pattern, in the order in which they were given. */
  patternOf(state: number): number
  /** The length of the longest pattern. */
  readonly longest: number
}

/** Builds the automaton of some patterns, none of them empty; time and memory grow with their summed length. */
export function createByteAutomaton(patterns: readonly Uint8Array[]): ByteAutomaton {
  const trie = createTrie(patterns)
  const { depth, match, pattern } = trie
  const fail = linkFailures(trie)
  return {
    step(state, byte) {
      for (let from = state; ; from = fail[from] ?? 0) {
        const next = trie.child(from, byte)
        if (next !== 0 || from === 0) return next
      }
    },
    depthOf: (state) => depth[state] ?? 0,
    matchOf: (state) => match[state] ?? 0,
    patternOf: (state) => pattern[state] ?? 0,
    longest: Math.max(0, ...patterns.map(({ length }) => length)),
  }
}

interface Trie {
  /** The state behind a byte, 0 for none. */
  child(state: number, byte: number): number
  /** States in the order in which they were made: those before lie no deeper in their pattern. */
  readonly parent: readonly number[]
  readonly byte: readonly number[]
  readonly depth: number[]
  readonly match: number[]
  readonly pattern: number[]
}

/** Nearly every state has one child, so that one stands beside it; the others are in a map. */
function createTrie(patterns: readonly Uint8Array[]): Trie {
  const parent = [0]
  const byte = [0]
  const depth = [0]
  const match = [0]
  const pattern = [0]
  const onlyByte = [-1]
  const onlyChild = [0]
  const roots = new Int32Array(256)
  const others = new Map<number, number>()

  const child = (state: number, value: number): number => {
    if (state === 0) return roots[value] ?? 0
    return onlyByte[state] === value ? (onlyChild[state] ?? 0) : (others.get(state * 256 + value) ?? 0)
  }
  const add = (state: number, value: number): number => {
    const made = parent.push(state) - 1
    byte.push(value)
    depth.push((depth[state] ?? 0) + 1)
    match.push(0)
    pattern.push(0)
    onlyByte.push(-1)
    onlyChild.push(0)
    if (state === 0) roots[value] = made
    else if (onlyByte[state] === -1) {
      onlyByte[state] = value
      onlyChild[state] = made
    } else others.set(state * 256 + value, made)
    return made
  }

  for (const [index, bytes] of patterns.entries()) {
    let state = 0
    for (const value of bytes) state = child(state, value) || add(state, value)
    if (match[state] === 0) pattern[state] = index
    match[state] = bytes.length
  }
  return { child, parent, byte, depth, match, pattern }
}

/** Links every state to that of its longest proper suffix, and hands down the patterns that end there; the shallow ones first. */
function linkFailures({ child, parent, byte, depth, match, pattern }: Trie): Int32Array {
  const fail = new Int32Array(parent.length)
  const shallowFirst = Array.from(parent.keys()).sort((one, other) => (depth[one] ?? 0) - (depth[other] ?? 0))
  for (const state of shallowFirst) {
    const above = parent[state] ?? 0
    if (above === 0) continue
    let from = fail[above] ?? 0
    while (from !== 0 && child(from, byte[state] ?? 0) === 0) from = fail[from] ?? 0
    const suffix = child(from, byte[state] ?? 0)
    fail[state] = suffix
    if (match[state] === 0) {
      match[state] = match[suffix] ?? 0
      pattern[state] = pattern[suffix] ?? 0
    }
  }
  return fail
}
