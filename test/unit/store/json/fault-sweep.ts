import type { DiskCall, DiskFault } from '../../../support/disk-model/model-disk.ts'
import { Trial } from './trial.ts'

const naming = ['link', 'rename', 'remove', 'removeFolder', 'makeFolder'] as const
const looking = ['read', 'facts', 'exists', 'remains', 'list'] as const
const writing = ['write', 'sync', 'truncate', 'rewrite'] as const

/** What may fail with which code. */
export const faults: Readonly<Record<string, { readonly fault: DiskFault; readonly hits: readonly DiskCall['operation'][] }>> = {
  ENOSPC: {
    fault: { code: 'ENOSPC' },
    hits: ['open', 'write', 'sync', 'rewrite', 'link', 'rename', 'makeFolder', 'syncFolder'],
  },
  EIO: { fault: { code: 'EIO' }, hits: ['open', ...writing, ...naming, ...looking, 'syncFolder'] },
  'a short write': { fault: { short: true }, hits: ['write'] },
  EMFILE: { fault: { code: 'EMFILE' }, hits: ['open', 'read', 'list', 'rewrite', 'syncFolder'] },
  EROFS: { fault: { code: 'EROFS' }, hits: ['open', ...writing, ...naming] },
  EACCES: { fault: { code: 'EACCES' }, hits: ['open', 'rewrite', ...naming, ...looking, 'syncFolder'] },
}

/** Runs the trial with a fault at every `stride`th call: there alone, and from there on until all is done. */
export async function failEverywhere({ fault, hits }: (typeof faults)[string], stride: number): Promise<number> {
  const whole = new Trial()
  await whole.run()
  await whole.conclude()
  const places = whole.disk.calls.filter(({ operation }) => hits.includes(operation))
  let tried = 0
  for (const isLasting of [false, true])
    for (let place = 0; place < places.length; place += stride) {
      const first = places[place] as DiskCall
      let isWell = false
      let fails = 0
      const trial = new Trial(({ index, operation }) => {
        if (isWell || index < first.index || !hits.includes(operation) || (fails > 0 && !isLasting)) return undefined
        fails += 1
        // A short write is the last one that the disk takes.
        return fails > 1 && 'short' in fault ? { code: 'ENOSPC' } : fault
      })
      try {
        await trial.run()
        isWell = true
        await trial.conclude()
      } catch (error) {
        const kind = isLasting ? 'from' : 'at'
        throw new Error(`${kind} call ${first.index}, ${first.operation} ${first.path}`, { cause: error })
      }
      tried += 1
    }
  return tried
}
