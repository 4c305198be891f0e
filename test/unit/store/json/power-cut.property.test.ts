import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { afterCrash, batch, segments, seqs, storeFolder, unsyncedDisk } from './store-folder.ts'

const runs = ['run-a', 'run-b', 'run-c', 'run-d']

const step = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constant('append' as const),
      counts: fc.array(fc.integer({ min: 0, max: 4 }), { minLength: 4, maxLength: 4 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('close' as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('crash' as const) }) },
)

test('ST1 ST4 whatever was appended, closed, crashed and cut: what was acknowledged before the cut is there, without a gap', async () => {
  const { folder, store } = await storeFolder()
  let round = 0
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { minLength: 1, maxLength: 14 }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      fc.string({ maxLength: 40 }),
      async (steps, where, garbage) => {
        round += 1
        const place = join(folder, `round-${round}`)
        const reopened = () => store({ folder: place, host: afterCrash(), disk: unsyncedDisk, segmentBytes: 1500 })
        let owner = reopened()
        await owner.open({ instance: 'owner' })
        const last = runs.map(() => 0)
        const newestPath = async () => join(place, 'journal', (await segments(place)).at(-1) ?? '')
        /** How much of each run was acknowledged while the newest segment had this size. */
        let acknowledged: { readonly path: string; readonly size: number; readonly last: readonly number[] }[] = []
        const note = async () => {
          const path = await newestPath()
          acknowledged.push({ path, size: (await readFile(path)).length, last: [...last] })
        }
        await note()
        for (const one of steps) {
          if (one.kind === 'append') {
            const batches = runs
              .map((run, index) => batch(run, last[index] ?? 0, one.counts[index] ?? 0))
              .filter(({ entries }) => entries.length > 0)
            await Promise.all([owner.append(batches.slice(0, 2)), owner.append(batches.slice(2))])
            for (const { run, after, entries } of batches) last[runs.indexOf(run)] = after + entries.length
          } else {
            if (one.kind === 'close') await owner.close()
            owner = reopened()
            await owner.open({ instance: 'owner' })
          }
          await note()
        }
        const path = await newestPath()
        const bytes = await readFile(path)
        const floor = acknowledged.find((one) => one.path === path)?.size ?? bytes.length
        const cut = Math.round(floor + where * (bytes.length - floor))
        await writeFile(path, Buffer.concat([bytes.subarray(0, cut), Buffer.from(garbage)]))
        acknowledged = acknowledged.filter((one) => one.path !== path || one.size <= cut)
        const survivor = reopened()
        const reader = store({ folder: place, host: afterCrash(), disk: unsyncedDisk })
        const read = await Promise.all(runs.map((run) => seqs(reader, run)))
        await survivor.open({ instance: 'survivor' })
        const found = await Promise.all(runs.map((run) => seqs(survivor, run)))
        found.forEach((list, index) => {
          expect(list).toEqual(list.map((_, at) => at + 1))
          expect(list.length).toBeGreaterThanOrEqual(acknowledged.at(-1)?.last[index] ?? 0)
          expect(list.length).toBeLessThanOrEqual(last[index] ?? 0)
        })
        expect(read).toEqual(found)
        await survivor.append(runs.map((run, index) => batch(run, found[index]?.length ?? 0)))
      },
    ),
    { numRuns: 60 },
  )
})
