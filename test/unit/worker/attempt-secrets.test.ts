import { inspect } from 'node:util'
import { expect, test } from 'vitest'
import { createAttemptSecrets } from '../../../src/worker/attempt-secrets.ts'
import { isNonRetryable } from '../../../src/worker/non-retryable-error.ts'
import { openBench } from '../../support/bench-fleet.ts'

test('SE5 a secret is given by its key', () => {
  const secrets = createAttemptSecrets({ A: 'the value', B: 'another' })
  expect([secrets.get('A'), secrets.has('A'), secrets.has('C'), secrets.keys]).toEqual(['the value', true, false, ['A', 'B']])
})

test('SE5 one that was not handed over is a final failure that names it', () => {
  for (const key of ['C', 'toString', '__proto__']) {
    const failure = (() => {
      try {
        return createAttemptSecrets({ A: 'the value' }).get(key)
      } catch (error) {
        return error
      }
    })()
    expect(isNonRetryable(failure)).toBe(true)
    expect(String(failure)).toContain(`<secret:${key}>`)
  }
})

test('SE5 printing an attempt, or what it has of secrets, shows none', async () => {
  const shown: string[] = []
  const bench = await openBench({
    secrets: { source: 'vault', resolve: () => 'hunter22' },
    handlers: {
      show(attempt) {
        for (const value of [attempt, attempt.secrets]) {
          shown.push(inspect(value, { depth: 10, getters: true, showHidden: true }), JSON.stringify(value))
        }
        return attempt.secrets.get('KEY').length
      },
    },
  })
  const run = await bench.fleet.start({
    name: 'r',
    security_policy: { default_trust_level: 'local', allowed_secrets: ['KEY'] },
    tasks: [{ id: 'a', name: 'a', instructions: 'x', handler: 'show' }],
  })
  await bench.clock.settle()
  expect((await run.receipts('a'))[0]?.output).toBe(8)
  expect(shown).toHaveLength(4)
  expect(shown.filter((text) => text.includes('hunter22'))).toEqual([])
})
