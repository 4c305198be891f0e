/** Where a text stops being JSON, and what would have to stand there. Lines and columns count from 1. */
export interface SyntaxProblem {
  readonly line: number
  readonly column: number
  readonly expected: string
  readonly found: string
}

/**
 * Finds the first place where a text is not JSON; undefined when it is. The platform's own parser tells the place in some of its
 * messages only. Nesting must be bounded by the caller.
 */
export function findJsonProblem(text: string): SyntaxProblem | undefined {
  const scanner = new Scanner(text)
  try {
    scanner.document()
    return undefined
  } catch (problem) {
    if (problem instanceof Stop) return describe(text, problem)
    throw problem
  }
}

/** Ends a scan. */
class Stop extends Error {
  readonly at: number
  readonly expected: string

  constructor(at: number, expected: string) {
    super(expected)
    this.at = at
    this.expected = expected
  }
}

class Scanner {
  readonly #text: string
  #at = 0

  constructor(text: string) {
    this.#text = text
  }

  document(): void {
    this.#value()
    if (this.#at < this.#text.length) throw new Stop(this.#at, 'the end of the file')
  }

  #value(): void {
    this.#space()
    const char = this.#text[this.#at]
    if (char === '{') this.#members('}', () => this.#member(), 'a name in double quotes')
    else if (char === '[') this.#members(']', () => this.#value(), 'a value')
    else if (char === '"') this.#string()
    else if (!this.#match(/-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null/y)) throw new Stop(this.#at, 'a value')
    this.#space()
  }

  /** An object or a list. */
  #members(close: string, member: () => void, what: string): void {
    this.#at += 1
    this.#space()
    if (this.#take(close)) return
    for (;;) {
      this.#space()
      if (this.#text[this.#at] === close) throw new Stop(this.#at, `${what} after the comma`)
      member()
      if (this.#take(close)) return
      if (!this.#take(',')) throw new Stop(this.#at, `a comma or ${close}`)
    }
  }

  #member(): void {
    if (this.#text[this.#at] !== '"') throw new Stop(this.#at, 'a name in double quotes')
    this.#string()
    this.#space()
    if (!this.#take(':')) throw new Stop(this.#at, 'a colon')
    this.#value()
  }

  #string(): void {
    this.#at += 1
    // Piece by piece: one expression over a long string would need a deep stack.
    while (this.#match(/[^"\\\u0000-\u001f]{1,4096}|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/y)) continue
    if (this.#take('"')) return
    if (this.#text[this.#at] === '\\') throw new Stop(this.#at, 'an escape of JSON')
    throw new Stop(this.#at, 'the closing double quote of a text')
  }

  #space(): void {
    this.#match(/[ \t\r\n]+/y)
  }

  #take(char: string): boolean {
    if (this.#text[this.#at] !== char) return false
    this.#at += 1
    return true
  }

  #match(pattern: RegExp): boolean {
    pattern.lastIndex = this.#at
    if (!pattern.test(this.#text)) return false
    this.#at = pattern.lastIndex
    return true
  }
}

function describe(text: string, { at, expected }: Stop): SyntaxProblem {
  const before = text.slice(0, at)
  const line = before.split('\n').length
  const found = text[at] === undefined ? 'the end of the file' : JSON.stringify(String.fromCodePoint(text.codePointAt(at)!))
  return { line, column: at - before.lastIndexOf('\n'), expected, found }
}
