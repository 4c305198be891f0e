import type { Adapter } from 'lowdb'
import { Low } from 'lowdb'
import { expect, test } from 'vitest'
import { ModelDisk } from '../../../support/disk-model/model-disk.ts'
import { distinctStates } from './crash-sweep.ts'

const path = '/db.json'
const temporary = '/.db.json.tmp'

/** What lowdb's own `JSONFile` asks of the disk, through steno: a temporary file that is written and renamed, and nothing synced. */
function stockAdapter(disk: ModelDisk): Adapter<{ readonly notes: string[] }> {
  return {
    read: async () => JSON.parse((await disk.read(path)).toString()) as { readonly notes: string[] },
    write: async (data) => {
      const file = await disk.open(temporary, { create: true })
      file.write(Buffer.from(JSON.stringify(data)), 0)
      await file.close()
      await disk.rename(temporary, path)
    },
  }
}

test('ST1 the same cuts find what is lost where nothing is synced: with the adapter of lowdb itself', async () => {
  const disk = new ModelDisk()
  const low = new Low<{ readonly notes: string[] }>(stockAdapter(disk), { notes: [] })
  const acknowledged: { readonly note: string; readonly at: number }[] = []
  for (const note of ['one', 'two']) {
    low.data.notes.push(note)
    await low.write()
    acknowledged.push({ note, at: disk.steps.length })
  }
  const outcomes = distinctStates(disk).map(({ tree, after }) => {
    const promised = acknowledged.filter(({ at }) => at <= after).map(({ note }) => note)
    const found = tree.bytes(path)
    if (found === undefined) return promised.length > 0 ? 'missing' : 'whole'
    if (found.length === 0) return 'empty'
    try {
      const { notes } = JSON.parse(found.toString()) as { readonly notes: readonly string[] }
      return promised.every((note) => notes.includes(note)) ? 'whole' : 'older'
    } catch {
      return 'unreadable'
    }
  })
  expect([...new Set(outcomes)].toSorted()).toEqual(['empty', 'missing', 'older', 'unreadable', 'whole'])
})
