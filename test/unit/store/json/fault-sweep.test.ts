import { expect, test } from 'vitest'
import { encodeHeader, encodePrevious } from '../../../../src/store/json/segment-line.ts'
import { chosenState } from '../../../support/disk-model/crash-states.ts'
import { ModelDisk } from '../../../support/disk-model/model-disk.ts'
import { failEverywhere, faults } from './fault-sweep.ts'
import { afterCrash, batch, seqs } from './store-folder.ts'
import { modelFolder, modelStore } from './witness.ts'

test.for(Object.entries(faults))(
  'ST5 ST1 %s at any call of the disk: nothing acknowledged is lost, nothing refused is read, and the same store goes on',
  async ([, fault]) => {
    expect(await failEverywhere(fault, 1)).toBeGreaterThan(10)
  },
)

test('ST5 ST6 what an owner wrote before its sync failed and it died survives the power cut after its successor has read it', async () => {
  let isFailing = false
  const disk = new ModelDisk(undefined, ({ operation }) => (isFailing && operation === 'sync' ? { code: 'EIO' } : undefined))
  const died = modelStore(disk)
  await died.open({ instance: 'died' })
  await died.append([batch('run-1', 0)])
  isFailing = true
  await expect(died.append([batch('run-1', 1)])).rejects.toMatchObject({ code: 'outcome_unknown' })
  isFailing = false
  const successor = modelStore(disk)
  await successor.open({ instance: 'successor' })
  expect(await seqs(successor, 'run-1')).toEqual([1, 2])
  await successor.append([batch('run-1', 2)])
  const last = modelStore(new ModelDisk(chosenState(disk, disk.steps.length, [1]).tree))
  expect((await last.open({ instance: 'last' })).warnings).toEqual([])
  expect(await seqs(last, 'run-1')).toEqual([1, 2, 3])
})

test('ST6 an owner that was stalled in a write that failed cuts nothing off that its successor counts', async () => {
  const path = `${modelFolder}/journal/00000001.0001.jsonl`
  const taker = { ...afterCrash().self(), instance: 'taker', since: 1 }
  let appends = 0
  const disk: ModelDisk = new ModelDisk(undefined, ({ operation }) => {
    if (operation !== 'write' || (appends += 1) < 3) return undefined
    if (appends === 3) return { short: true }
    // What another process did while this one stood still between its two writes.
    const end = (disk.tree.bytes(path)?.lastIndexOf(10) ?? 0) + 1
    const top =
      encodeHeader({ format: 1, store: 's', epoch: 2, segment: 1, owner: taker }) +
      encodePrevious([{ segment: '00000001.0001', end }])
    disk.tree.apply({ kind: 'create', path: path.replace('00000001.0001', '00000002.0001'), file: 99 })
    disk.tree.apply({ kind: 'write', file: 99, at: 0, bytes: Buffer.from(top) })
    return { code: 'ENOSPC' }
  })
  const stalled = modelStore(disk, { roomBytes: 0 })
  await stalled.open({ instance: 'stalled' })
  const outcomes = await Promise.allSettled([stalled.append([batch('run-1', 0)]), stalled.append([batch('run-2', 0, 2)])])
  expect(outcomes).toMatchObject([{ reason: { code: 'store_conflict' } }, { reason: { code: 'store_conflict' } }])
  const reader = modelStore(disk)
  expect([await seqs(reader, 'run-1'), await seqs(reader, 'run-2')]).toEqual([[1], []])
})
