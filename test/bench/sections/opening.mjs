import { cp, readdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { cell, integer, number } from '../format.mjs'
import { inChild, untilKilled } from '../in-child.mjs'
import { inRounds } from '../rounds.mjs'
import { inScratch } from '../scratch.mjs'

/** What a case leaves behind, and what is opened. */
const kinds = {
  crash: { title: 'kill -9 with 9 of 10 tasks done', leave: (place) => untilKilled('crash', place) },
  journal: { title: 'the same, from the journal alone', of: 'crash', strip: true },
  clean: { title: 'clean close, all tasks queued', leave: (place) => inChild('leave-queued', place) },
  finished: { title: 'clean close, finished runs of 1 task', leave: (place) => inChild('leave-finished', place) },
}

/** The time to open what a crash, or a clean close, left. */
export async function opening({ sizes, folder }) {
  const tasks = sizes.queues.flatMap((count) =>
    ['crash', 'journal', 'clean'].map((kind) => ({ kind, count, place: { tasks: count } })),
  )
  const runs = sizes.finishedRuns.map((count) => ({ kind: 'finished', count, place: { runs: count } }))
  const cases = [...tasks, ...runs].map((one) => ({ key: `${one.kind} ${one.count}`, ...one }))
  return inScratch(folder, async (scratch) => {
    const left = ({ kind, count }) => join(scratch, `${kinds[kind].of ?? kind} ${count}`)
    for (const one of cases.filter(({ kind }) => kinds[kind].leave !== undefined)) {
      console.error(`  making ${one.key}`)
      await kinds[one.kind].leave({ folder: left(one), ...one.place })
    }
    const figures = await inRounds(cases, sizes.longRounds, (one) => openCopy(left(one), kinds[one.kind].strip))
    const rows = cases.map(({ key, kind, count }) => {
      const { ms, entries, rate, blocked } = figures[key]
      return [
        kinds[kind].title,
        integer(count),
        cell(ms, number),
        integer(entries.median),
        cell(rate, number),
        cell(blocked, number),
      ]
    })
    const columns = ['left by', 'tasks or runs', 'open, ms', 'journal entries', 'entries/s', 'loop blocked, ms']
    const notes = ['From the journal alone: `index.json` and the snapshots were removed. Each opening is a fresh process.']
    return { figures, tables: [{ title: 'Time to open a store', columns, rows, notes }] }
  })
}

/** Opening changes a store, so each time a copy is opened. */
async function openCopy(left, strip) {
  const folder = `${left} copy`
  await cp(left, folder, { recursive: true })
  if (strip) await removeWhatIsMadeAnew(folder)
  const entries = await journalEntries(folder)
  const { ms, blocked } = await inChild('open', { folder })
  await rm(folder, { recursive: true })
  return { ms, blocked, entries, rate: (entries / ms) * 1000 }
}

async function removeWhatIsMadeAnew(folder) {
  await rm(join(folder, 'index.json'), { force: true })
  for (const run of await readdir(join(folder, 'runs')).catch(() => [])) {
    await rm(join(folder, 'runs', run, 'snapshot.json'), { force: true })
    await rm(join(folder, 'runs', run, 'snapshot'), { recursive: true, force: true })
  }
}

/** How many entries the journal holds: its lines tell of the first and of the last one that stands in them. */
async function journalEntries(folder) {
  let entries = 0
  for (const name of await readdir(join(folder, 'journal'))) {
    const text = await readFile(join(folder, 'journal', name), 'latin1')
    for (const [, seq, last] of text.matchAll(/^\{"run":"[^"]*","seq":(\d+),"last":(\d+),/gm)) entries += last - seq + 1
  }
  return entries
}
