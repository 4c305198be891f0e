import fc from 'fast-check'
import { expect, test } from 'vitest'
import { requirementOf, requirementsOf } from '../../../src/engine/requirement.ts'
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

test('SC8 the requirements of a run are those of its tasks, and tasks that ask for the same share one', () => {
  const run = { worker_specs: [], target: 'this_computer' as const }
  fc.assert(
    fc.property(fc.array(spec, { maxLength: 20 }), (specs) => {
      const requirementFor = requirementsOf(run)
      const kinds = new Set(specs.map((one) => JSON.stringify([one.handler, one.worker?.role, one.worker?.capabilities])))
      for (const one of specs) {
        expect(requirementFor(one)).toEqual(requirementOf(one, run))
        expect(requirementFor(one)).toBe(requirementFor(structuredClone(one)))
      }
      expect(new Set(specs.map(requirementFor)).size).toBeLessThanOrEqual(kinds.size * 2)
    }),
  )
})
