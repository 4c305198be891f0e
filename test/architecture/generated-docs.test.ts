import { describe, expect, it } from 'vitest'
import { generatedDocuments } from '../../scripts/generated/documents.ts'

const rules: Readonly<Record<string, string>> = {
  'docs/lifecycles.md': 'CO3 ',
  'docs/events.md': 'EV6 ',
  'docs/enforcement.md': 'WI1 ',
}

describe('generated documents', () => {
  for (const { path, present, wanted } of generatedDocuments()) {
    it(`${rules[path] ?? ''}${path} says what the code says`, () => {
      expect(present, `${path} is stale: run \`npm run generate\``).toBe(wanted)
    })
  }
})
