/** A pattern of an engine that takes linear time, whatever the pattern and the text. */
export interface LinearPattern {
  /** Whether it matches anywhere in a text. */
  isIn(text: string): boolean
  /** Whether it matches a whole text. */
  isAllOf(text: string): boolean
}

/** Compiles patterns; the engine is loaded with the first one. */
export async function loadCompiler(): Promise<(pattern: string) => LinearPattern | { readonly problem: string }> {
  const { RE2JS } = await import('re2js')
  return (pattern) => {
    try {
      const compiled = RE2JS.compile(pattern)
      return { isIn: (text) => compiled.test(text), isAllOf: (text) => compiled.testExact(text) }
    } catch (error) {
      return { problem: error instanceof Error ? error.message : String(error) }
    }
  }
}

/** Compiles one pattern, or says why the engine refuses it. */
export async function compilePattern(pattern: string): Promise<LinearPattern | { readonly problem: string }> {
  return (await loadCompiler())(pattern)
}
