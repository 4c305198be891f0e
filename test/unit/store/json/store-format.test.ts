import { cp, readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { createFleet } from '../../../../src/fleet/create-fleet.ts'
import { inspectStore, verifyRun } from '../../../../src/fleet/doctor.ts'
import { jsonStore } from '../../../../src/fleet/stores.ts'
import { scratch } from '../../../fixtures/scratch.ts'

/** A folder of format 1, whose fleet was killed at work: a run that has ended, one that was deleted, and one of which a task was running. */
const before = fileURLToPath(new URL('../../../fixtures/store-format-1', import.meta.url))

test('ST8 a store of format 1 is read, and carried on in the present format', async () => {
  await using place = await scratch()
  const folder = join(place.path, 'store')
  await cp(before, folder, { recursive: true })
  const greet = ({ task }: { task: { metadata: Record<string, unknown> } }) => task.metadata
  await using fleet = await createFleet({
    store: jsonStore({ folder }),
    takeOver: true,
    slots: 2,
    workspace: place.path,
    handlers: { greet, never: () => 'now it ends' },
  })
  expect(fleet.warnings).toEqual([])
  const result = await (await fleet.run('run-open')).result()
  expect(result.status).toBe('completed')
  const { c, d, e } = result.receipts
  expect([c?.output, d?.output, e?.output]).toEqual([{ greeting: 'Hello, you!' }, 'now it ends', { nested: { deep: [1, 2] } }])
  // The attempt that was cut off was released, which costs no retry.
  expect([c?.attempt, d?.attempt, e?.attempt]).toEqual([1, 2, 1])
  const run = await fleet.run('run-ended')
  const ended = await run.result()
  expect(ended).toMatchObject({
    status: 'completed',
    receipts: { a: { output: { greeting: 'Hello, Ada!' } }, b: { attempt: 1 } },
  })
  const events: string[] = []
  for await (const event of run.events({ follow: false })) events.push(event.event)
  expect(events.slice(0, 3)).toEqual(['run.created', 'task.enqueued', 'worker.queued'])
  expect(events.filter((name) => name === 'task.terminal')).toHaveLength(2)
  await expect(fleet.start({ id: 'run-gone', name: 'gone', open: true, tasks: [] })).rejects.toMatchObject({ code: 'run_exists' })
  await fleet.close()

  const journal = join(folder, 'journal')
  const segments = (await readdir(journal)).filter((name) => name.endsWith('.jsonl'))
  const formats = await Promise.all(segments.map(async (name) => (await readFile(join(journal, name), 'utf8')).slice(0, 24)))
  expect(formats).toEqual(['{"flotilla":{"format":1,', '{"flotilla":{"format":2,'])
  for (const id of ['run-open', 'run-ended']) expect(await verifyRun({ folder, run: id }), id).toMatchObject({ findings: [] })
  expect((await inspectStore({ folder })).findings.filter(({ weight }) => weight !== 'note')).toEqual([])
})
