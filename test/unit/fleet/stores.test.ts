import { execFile } from 'node:child_process'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, test, vi } from 'vitest'
import { createFleet } from '../../../src/fleet/create-fleet.ts'
import { jsonStore } from '../../../src/fleet/stores.ts'
import type { FleetTaskSpec } from '../../../src/protocol/task.ts'
import { scratch } from '../../fixtures/scratch.ts'

const tsx = import.meta.resolve('tsx')
const program = fileURLToPath(new URL('../../fixtures/store-of-a-relative-folder.ts', import.meta.url))

test('ST2 a relative folder is that of the moment in which the store was named', async () => {
  await using place = await scratch()
  const cwd = place.path
  const { stdout } = await promisify(execFile)(process.execPath, ['-C', 'flotilla-source', '--import', tsx, program], { cwd })
  expect(JSON.parse(stdout)).toEqual({ home: join(cwd, 'store'), folder: join(cwd, 'store', 'runs') })
  expect(await readdir(join(cwd, 'store'))).toContain('journal')
  expect(await readdir(join(cwd, 'elsewhere'))).toEqual([])
})

test('ST2 what becomes of the options later changes no store', async () => {
  await using place = await scratch()
  const folder = place.path
  const options = { folder }
  const store = jsonStore(options)
  options.folder = join(folder, 'other')
  await store.open({ instance: 'i' })
  await store.close()
  expect(await readdir(folder)).toContain('journal')
  expect(await readdir(folder)).not.toContain('other')
})

test('LE9 ST2 what a function does with its task is not what the next attempt gets, in a run that was read again as well', async () => {
  await using place = await scratch()
  const input = { items: ['given'] }
  const seen: unknown[] = []
  const handlers = {
    spoils({ task }: { task: FleetTaskSpec }) {
      seen.push(JSON.parse(JSON.stringify([task.input, task.metadata, task.tags])))
      ;(task.input as { items: string[] }).items.push('added')
      ;(task.metadata as Record<string, unknown>)['added'] = true
      ;(task.tags as string[]).push('added')
      return null
    },
  }
  const open = () => createFleet({ store: jsonStore({ folder: place.path }), handlers })
  const tasks = ['t', 'u'].map((id) => ({
    ...{ id, name: id, instructions: 'i', handler: 'spoils' },
    input,
    metadata: { m: { n: 1 } },
  }))
  const fleet = await open()
  await fleet.create({ id: 'r', name: 'r', tasks: [tasks[0]!, { ...tasks[1]!, not_before: '2199-01-01T00:00:00Z' }] })
  await fleet.close()
  await using again = await open()
  const run = await again.run('r')
  await run.start()
  await vi.waitFor(async () => expect((await run.task('t')).status).toBe('completed'))
  // Neither is what somebody does with a view.
  ;((await run.tasks())[1]!.depends_on as string[]).push('ghost')
  expect((await run.spec()).task_specs).toMatchObject(tasks.map((one) => ({ ...one, tags: [], depends_on: [] })))
  await run.restart('t')
  await vi.waitFor(() => expect(seen).toHaveLength(2))
  expect(seen).toEqual([
    [input, { m: { n: 1 } }, []],
    [input, { m: { n: 1 } }, []],
  ])
})
