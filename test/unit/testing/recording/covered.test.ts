import { expect, test } from 'vitest'
import { createTestFleet, openRecording, replay } from '../../../../src/testing/index.ts'
import { task } from '../../../support/bench-fleet.ts'

const secret = 'hunter22-hunter22'
const address = 'https://example.org/hooks/T0/private'

/** A recording of work that says its secret wherever it can, with alerts to an address that only its receiver may know. */
async function talkative(allows: boolean) {
  await using fleet = await createTestFleet({
    record: true,
    secrets: { source: 'vault', resolve: () => secret },
    handlers: {
      talk: async (attempt) => {
        const value = attempt.secrets.has('KEY') ? attempt.secrets.get('KEY') : secret
        await attempt.tool(`curl ${value}`, value)
        await attempt.workflow(value, { said: [value] })
        await attempt.log(value)
        await attempt.artifact({ kind: value, name: `${value}.txt`, content: 'x', mimeType: 'text/plain' })
        if (attempt.number === 1) throw new Error(`it said ${value}`)
        return { [value]: Buffer.from(value).toString('base64') }
      },
    },
  })
  const run = await fleet.start({
    name: 'talk',
    ...(allows && { security_policy: { allowed_secrets: [{ key: 'KEY' }] } }),
    tasks: [
      task('a', {
        handler: 'talk',
        alert_policy: { events: ['run_completed'], channels: [{ kind: 'webhook', url: address }] },
        retry_policy: { max_attempts: 2 },
      }),
    ],
  })
  const { status } = await fleet.until(run.result())
  await fleet.close()
  const bytes = await fleet.recording()
  return { status, bytes, text: new TextDecoder().decode(bytes) }
}

test('SE5 no recording holds a secret, or the address of an alert, and it is decided again the same', async () => {
  const { status, bytes, text } = await talkative(true)
  expect(status).toBe('completed')
  for (const written of [secret, Buffer.from(secret).toString('base64'), address]) expect(text).not.toContain(written)
  expect(text).toContain('<secret:KEY>')
  expect((await replay(await openRecording(bytes))).same).toBe(true)
})

test('SE5 the same words are recorded where they are no secret (control)', async () => {
  const { text } = await talkative(false)
  expect(text).toContain(secret)
})
