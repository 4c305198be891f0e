import { setTimeout } from 'node:timers/promises'
import { expect, onTestFinished, test } from 'vitest'
import { createFleet } from '../../../src/fleet/create-fleet.ts'
import type { Disk } from '../../../src/store/json/disk.ts'
import { memoryFiles } from '../../../src/testing/memory-files.ts'
import { until } from '../../fixtures/processes.ts'
import { task } from '../../support/bench-fleet.ts'
import { ModelDisk } from '../../support/disk-model/model-disk.ts'
import { statuses, verdicts } from '../../support/looking.ts'
import { modelStore } from '../store/json/witness.ts'

/** A fleet of two slots, whose handler waits for `gates` of its task to be opened. */
async function openFleet(disk: Disk) {
  const begun: string[] = []
  const gates = new Map<string, () => void>()
  const store = modelStore(disk)
  const fleet = await createFleet({
    store,
    files: memoryFiles({ '/base/in.txt': '' }),
    workspace: '/base',
    slots: 2,
    handlers: {
      work: async ({ task: { id } }) => {
        begun.push(id)
        await new Promise<void>((resolve) => gates.set(id, resolve))
        return id
      },
    },
  })
  onTestFinished(() => fleet.close({ graceMs: 0 }))
  const heard: string[] = []
  void (async () => {
    for await (const { event } of fleet.events()) if (event.startsWith('store.')) heard.push(event)
  })()
  return { fleet, begun, heard, store, open: (id: string) => gates.get(id)?.() }
}

test.for(['ENOSPC', 'EIO', 'EROFS'])(
  'ST5 CO1 on a disk that fails for a while (%s) the fleet leases nothing, keeps what runs, says so once, and goes on by itself',
  async (code) => {
    let isFailing = false
    const disk = new ModelDisk(undefined, ({ operation }) =>
      isFailing && ['append', 'sync', 'open', 'link', 'rename', 'rewrite', 'makeFolder'].includes(operation)
        ? { code }
        : undefined,
    )
    const { fleet, begun, heard, open } = await openFleet(disk)
    const ids = ['a', 'b', 'c', 'd']
    const run = await fleet.start({ name: 'r', tasks: ids.map((id) => task(id, { handler: 'work' })) })
    await until(() => begun.length === 2, 'two attempts')
    isFailing = true
    open('a')
    await until(() => heard.length > 0, 'store.failing')
    const refused = await run.cancelTask('d').then(
      () => 'done',
      (error: { readonly code: string }) => error.code,
    )
    expect(['store_failing', 'not_stored']).toContain(refused)
    await setTimeout(300)
    expect(begun).toEqual(['a', 'b'])
    isFailing = false
    await until(() => heard.includes('store.recovered'), 'store.recovered')
    open('b')
    await until(() => begun.length === 4, 'the other attempts')
    open('c')
    open('d')
    expect((await run.result()).status).toBe('completed')
    expect(heard).toEqual(['store.failing', 'store.recovered'])
    expect(await statuses(run)).toEqual(Object.fromEntries(ids.map((id) => [id, 'completed'])))
    expect((await verdicts(run)).toSorted()).toEqual(ids.map((id) => `${id}/1 partial`))
    await fleet.close()
    const peer = await openFleet(new ModelDisk(disk.tree))
    const again = await peer.fleet.run(run.id)
    expect((await verdicts(again)).toSorted()).toEqual(ids.map((id) => `${id}/1 partial`))
  },
)

test('ST5 ST10 an inbox that the disk hides, and an answer that it does not take, wait; the command takes effect once', async () => {
  const disk = new ModelDisk()
  let isFailing = false
  const failing = (path: string) => {
    if (isFailing && path.includes('/inbox')) throw Object.assign(new Error('ENOSPC'), { code: 'ENOSPC' })
  }
  const { fleet, begun, open } = await openFleet({
    ...disk,
    list: async (path) => (failing(path), disk.list(path)),
    rename: async (from, to) => (failing(to), disk.rename(from, to)),
  })
  const run = await fleet.start({ name: 'r', tasks: [task('a', { handler: 'work' }), task('b', { handler: 'work' })] })
  await until(() => begun.length === 2, 'the attempts')
  isFailing = true
  const poster = modelStore(disk)
  const command = { kind: 'task.cancel', run_id: run.id, task_id: 'a', by: 'test' } as const
  const answer = poster.post({ id: 'one', command }, { waitMs: 8_000 })
  await setTimeout(1_200)
  expect((await statuses(run))['a']).not.toBe('canceled')
  isFailing = false
  expect(await answer).toMatchObject({ ok: true, outcome: { changed: true } })
  open('a')
  open('b')
  await run.result()
})
