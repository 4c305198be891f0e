import { expect, test } from 'vitest'
import { boundedEvidence, keepEvidence } from '../../../src/engine/evidence.ts'
import { systemClock } from '../../../src/host/clock.ts'
import { sha256 } from '../../../src/host/sha256.ts'
import { systemIds } from '../../../src/host/ids.ts'
import { createMemoryStore } from '../../../src/store/memory.ts'

const { blobs } = createMemoryStore({ clock: systemClock(), ids: systemIds() })

test('VE6 evidence of up to 4 KiB lies in the receipt, and in no blob', async () => {
  const text = 'x'.repeat(4096)
  expect(boundedEvidence(text)).toBe(text)
  expect(await keepEvidence(blobs, 'r', text)).toEqual([])
})

test('VE6 evidence above 4 KiB is kept whole in a blob, and the receipt holds its beginning', async () => {
  const text = 'é'.repeat(3_000)
  const bytes = new TextEncoder().encode(text)
  expect(await keepEvidence(blobs, 'r', text)).toEqual([
    { kind: 'evidence', path: 'evidence.txt', checksum: `sha256:${sha256(bytes)}`, mime_type: 'text/plain', size_bytes: 6_000 },
  ])
  expect(new TextDecoder().decode(await blobs.open('r', sha256(bytes)))).toBe(text)
  expect(new TextEncoder().encode(boundedEvidence(text)).length).toBeLessThanOrEqual(4096)
  expect(boundedEvidence(text)).toMatch(/^é+…$/)
})

test('VE6 a verdict counts where its evidence cannot be kept', async () => {
  const full = { ...blobs, put: () => Promise.reject(new Error('no space')) }
  expect(await keepEvidence(full, 'r', 'x'.repeat(5_000))).toEqual([])
})
