import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createRequirements } from '../../../src/engine/requirement.ts'
import { FleetTaskSpec } from '../../../src/protocol/task.ts'

const words = fc.constantFrom('a', 'b', 'a\nb', '"', 'command')
const spec = fc
  .record(
    {
      handler: words,
      worker: fc.record(
        { role: fc.constantFrom('a', 'b'), capabilities: fc.array(words, { maxLength: 2 }) },
        { requiredKeys: [] },
      ),
      metadata: fc.constantFrom({}, { command: ['a'] }, { priority: 1 }),
    },
    { requiredKeys: [] },
  )
  .map((asked) => FleetTaskSpec.parse({ id: 't', name: 't', instructions: 'Do it.', ...asked }))

test('SC8 tasks that ask for the same share one requirement, and its key tells it from every other', () => {
  const run = { worker_specs: [], target: 'this_computer' as const }
  fc.assert(
    fc.property(fc.array(spec, { maxLength: 20 }), (specs) => {
      const requirements = createRequirements(run)
      for (const one of specs) {
        const requirement = requirements.of(one)
        expect(requirement).toEqual(createRequirements(run).of(one))
        expect(requirement).toMatchObject({ handler: one.handler, role: one.worker?.role })
        expect(requirement.command).toBe(one.metadata['command'] !== undefined)
        expect(requirement.capabilities).toEqual([...(one.worker?.capabilities ?? [])].sort())
        expect(requirements.of(structuredClone(one))).toBe(requirement)
      }
      const all = new Set(specs.map((one) => requirements.of(one)))
      expect(new Set([...all].map(({ key }) => key)).size).toBe(all.size)
    }),
  )
})
