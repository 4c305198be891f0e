import { expect, test } from 'vitest'
import { openBench, task } from '../../support/bench-fleet.ts'
import type { FleetEvent } from '../../../src/protocol/fleet-event.ts'

test('EV6 payloads hold the facts that were reported: each field of model_wait, running_tool, workflow_event, heartbeat, artifact, completed', async () => {
  const { clock, fleet, heard, transport } = await openBench()
  await fleet.start({ name: 'r', tasks: [task('a')] })
  await clock.settle()
  const held = transport.attempt('a')
  const say = (message: object) => held.send(message as never)
  held.accept()
  say({ type: 'progress', event: { state: 'model_wait', model: 'm' } })
  say({ type: 'progress', event: { state: 'running_tool', tool: 'sh', call_id: 'c' } })
  say({ type: 'progress', event: { state: 'workflow_event', workflow_run_id: 'inner', event: { n: [1] } } })
  say({ type: 'heartbeat', cpu_percent: 12.5, memory_mb: 300 })
  say({
    type: 'artifact',
    report: 1,
    kind: 'report',
    path: 'r.txt',
    bytes: new TextEncoder().encode('text'),
    mime_type: 'text/x',
  })
  await clock.settle()
  held.complete({ exit_code: 0, summary: 'done' })
  await clock.settle()
  const facts = Object.fromEntries(heard.filter(isWorkers).map(({ event, payload }) => [event.slice('worker.'.length), payload]))
  expect(facts).toMatchObject({
    queued: {},
    starting: {},
    running: {},
    model_wait: { model: 'm' },
    running_tool: { tool: 'sh', call_id: 'c' },
    workflow_event: { workflow_run_id: 'inner', event: { n: [1] } },
    heartbeat: { cpu_percent: 12.5, memory_mb: 300 },
    artifact: {
      kind: 'report',
      path: 'r.txt',
      checksum: 'sha256:982d9e3eb996f559e633f4d194def3761d909f5a3b647d1a851fead67c32c9d1',
      mime_type: 'text/x',
      size_bytes: 4,
    },
    completed: { exit_code: 0, summary: 'done' },
  })
})

test('EV6 a stale event tells when the attempt was last heard of', async () => {
  const { clock, fleet, heard, transport } = await openBench()
  await fleet.start({ name: 'r', tasks: [task('a')] })
  await clock.settle()
  transport.attempt('a').accept()
  await clock.advance(10_000)
  transport.attempt('a').heartbeat()
  const beat = new Date(clock.now()).toISOString()
  await clock.advance(60_000)
  expect(heard.find(({ event }) => event === 'worker.stale')?.payload).toEqual({ last_heartbeat_at: beat })
})

function isWorkers({ event }: FleetEvent): boolean {
  return event.startsWith('worker.')
}
