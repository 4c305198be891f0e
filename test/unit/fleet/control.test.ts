import { describe, expect, test } from 'vitest'
import { openControl } from '../../../src/fleet/control.ts'
import type { Store } from '../../../src/ports/store.ts'

const command = { kind: 'run.pause', run_id: 'r', by: 'ada' } as const
const closed = { ok: false as const, code: 'fleet_closed' as const, message: 'The fleet is closed.' }
const taken = { ok: true as const, outcome: { changed: true, message: 'It was paused.' } }

/** A store whose owners answer what they are asked, one after the other. */
function ownedStore(answers: readonly unknown[]) {
  const posted: string[] = []
  const store = {
    row: async () => ({ id: 'r' }),
    owner: async () => ({ alive: true }),
    async post({ id }: { readonly id: string }) {
      posted.push(id)
      return answers[Math.min(posted.length, answers.length) - 1]
    },
  }
  return { posted, control: openControl(store as unknown as Store) }
}

describe('ST10 a command for an owner that is closing', () => {
  test('ST10 is handed to the owner after it, as a new one', async () => {
    const { posted, control } = ownedStore([closed, closed, taken])
    expect(await control.perform(command)).toEqual({ ...taken.outcome, by: 'owner' })
    expect(new Set(posted).size).toBe(3)
  })

  test('ST10 is given up after five of them, and any other refusal at once', async () => {
    const closing = ownedStore([closed])
    await expect(closing.control.perform(command)).rejects.toMatchObject({ code: 'fleet_closed' })
    expect(closing.posted).toHaveLength(5)
    const refusing = ownedStore([{ ...closed, code: 'refused' }])
    await expect(refusing.control.perform(command)).rejects.toMatchObject({ code: 'refused' })
    expect(refusing.posted).toHaveLength(1)
  })
})
