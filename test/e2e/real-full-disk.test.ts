import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { describe, expect, onTestFinished, test } from 'vitest'
import { systemClock } from '../../src/host/clock.ts'
import { systemEnvironment } from '../../src/host/environment.ts'
import { createFleet, jsonStore } from '../../src/index.ts'
import { commandTransport } from '../../src/transports/commands/command.ts'
import { assignment, converse } from '../fixtures/conversation.ts'
import type { SmallDisk } from '../fixtures/small-disk.ts'
import { mountSmallDisk } from '../fixtures/small-disk.ts'
import { until } from '../fixtures/processes.ts'

const probe = mountSmallDisk('64k')
probe?.remove()

function smallDisk(size: string): SmallDisk {
  const disk = mountSmallDisk(size)
  if (disk === undefined) throw new Error('Nothing can be mounted here any more.')
  onTestFinished(() => disk.remove())
  return disk
}

async function openFleet(disk: SmallDisk) {
  const begun: string[] = []
  const fleet = await createFleet({
    store: jsonStore({ folder: join(disk.path, 'store'), segmentBytes: 16 * 1024 }),
    slots: 4,
    handlers: {
      work: async ({ task: { id } }) => {
        begun.push(id)
        await setTimeout(5)
        return `${id} is done`
      },
    },
  })
  onTestFinished(() => fleet.close({ graceMs: 0 }))
  const heard: string[] = []
  void (async () => {
    for await (const { event } of fleet.events()) if (event.startsWith('store.')) heard.push(event)
  })()
  return { fleet, heard, begun }
}

const tasks = (count: number) =>
  Array.from({ length: count }, (_, index) => ({
    id: `t${index}`,
    name: 't',
    instructions: 'Work.',
    handler: 'work',
    metadata: {},
  }))

describe.skipIf(probe === undefined)('a real small disk', () => {
  test('ST5 a fleet whose real disk is filled up and freed again, twice, goes on by itself and loses nothing', async () => {
    const disk = smallDisk('1m')
    const { fleet, heard, begun } = await openFleet(disk)
    const run = await fleet.start({ name: 'r', tasks: tasks(200) })
    for (const round of [1, 2]) {
      disk.fill(true)
      await until(() => heard.length === 2 * round - 1, 'store.failing')
      const { length } = begun
      await setTimeout(200)
      expect(begun).toHaveLength(length)
      disk.fill(false)
      await until(() => heard.length === 2 * round, 'store.recovered')
    }
    expect((await run.result()).status).toBe('completed')
    expect(heard).toEqual(['store.failing', 'store.recovered', 'store.failing', 'store.recovered'])
    const receipts = await run.receipts()
    expect(receipts.map(({ task_id }) => task_id).toSorted()).toEqual(
      tasks(200)
        .map(({ id }) => id)
        .toSorted(),
    )
    await fleet.close()
    const again = await openFleet(disk)
    expect(await (await again.fleet.run(run.id)).receipts()).toEqual(receipts)
  })

  test('ST5 a command whose folder has no room waits for it, and fails nothing; asked to stop it stops', async () => {
    const disk = smallDisk('256k')
    const transport = commandTransport({ clock: systemClock(), environment: systemEnvironment() })
    const conversation = await converse(transport, { storeId: 'store' })
    onTestFinished(() => conversation.channel.close({ reason: 'test over', graceMs: 0 }))
    const [begun, stopped] = ['begun', 'stopped'].map((id) =>
      assignment({ id, metadata: { command: ['true'] } }, { root: disk.path, folder: join(disk.path, 'attempts', id) }),
    )
    disk.fill(true)
    conversation.channel.send(begun!)
    await setTimeout(300)
    expect(conversation.heard.filter((message) => 'task_id' in message)).toEqual([])
    disk.fill(false)
    expect(await conversation.last('begun')).toMatchObject({ type: 'result', exit_code: 0 })
    disk.fill(true)
    conversation.channel.send(stopped!)
    await setTimeout(50)
    conversation.stop(stopped!)
    expect(await conversation.last('stopped')).toMatchObject({ type: 'stopped' })
    disk.fill(false)
  })

  test('ST5 a real disk that became read-only can be read, is not opened for writing, and is once it can be written', async () => {
    const disk = smallDisk('256k')
    const first = await openFleet(disk)
    const run = await first.fleet.start({ name: 'r', tasks: tasks(2) })
    const result = await run.result()
    await first.fleet.close()
    disk.remount('ro')
    const reader = jsonStore({ folder: join(disk.path, 'store') })
    expect((await reader.runs()).map(({ id, status }) => [id, status])).toEqual([[run.id, 'completed']])
    await expect(reader.open({ instance: 'reader' })).rejects.toMatchObject({
      code: 'not_stored',
      message: expect.stringContaining('EROFS') as string,
    })
    disk.remount('rw')
    const again = await openFleet(disk)
    expect((await (await again.fleet.run(run.id)).result()).status).toBe(result.status)
  })
})
