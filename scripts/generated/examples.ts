import { readFileSync } from 'node:fs'

/** A program of the examples, as a document shows it. `language` is what the block says; what says `ts` is run where it stands, by itself. */
export function exampleBlock(name: string, language = 'ts'): string {
  const source = readFileSync(new URL(`../../examples/${name}`, import.meta.url), 'utf8')
  return `\`\`\`${language}\n${source.trimEnd()}\n\`\`\``
}
