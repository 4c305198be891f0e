import { readFileSync, readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { printedLines, promisedLines } from './expected-output.ts'

const folder = fileURLToPath(new URL('../../examples', import.meta.url))
const examples = readdirSync(folder).filter((name) => name.endsWith('.ts'))

describe('examples', () => {
  it.each(examples)('%s prints what it says', { timeout: 60_000 }, async (name) => {
    const promised = promisedLines(readFileSync(`${folder}/${name}`, 'utf8'))
    expect(promised.length).toBeGreaterThan(0)
    expect(await printedLines(`${folder}/${name}`)).toEqual(promised)
  })
})
