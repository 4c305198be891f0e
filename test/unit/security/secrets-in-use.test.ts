import { expect, test } from 'vitest'
import { createSecretsInUse } from '../../../src/security/secrets-in-use.ts'

const secret = (value: string, key = 'KEY') => ({ key, value })

test('SE5 while there are no secrets there is no redactor, so nothing is read twice', () => {
  const inUse = createSecretsInUse(() => {
    throw new Error('Nothing is to be made.')
  })
  expect(inUse.redactor).toBeUndefined()
})

test('SE5 a secret that two attempts have is known, and the redactor stays the same', () => {
  const inUse = createSecretsInUse()
  const first = inUse.use([secret('hunter22')])
  const { redactor } = inUse
  const second = inUse.use([secret('hunter22')])
  first()
  first()
  second()
  expect(inUse.redactor).toBe(redactor)
  expect(inUse.redactor?.text('a hunter22')).toBe('a <secret:KEY>')
})

test('SE5 a secret stays known after its attempt until 64 others came and went', () => {
  const inUse = createSecretsInUse()
  const held = inUse.use([secret('always-held')])
  inUse.use([secret('hunter22')])()
  for (let number = 1; number <= 63; number++) inUse.use([secret(`another-${number}-secret`)])()
  expect(inUse.redactor?.text('hunter22')).toBe('<secret:KEY>')
  inUse.use([secret('one-more-secret')])()
  expect(inUse.redactor?.text('hunter22 always-held another-1-secret')).toBe('hunter22 <secret:KEY> <secret:KEY>')
  held()
})
