import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { expect } from 'vitest'
import { systemClock } from '../../../../src/host/clock.ts'
import { systemIds } from '../../../../src/host/ids.ts'
import { seededIds } from '../../../../src/host/seeded-ids.ts'
import type { Store } from '../../../../src/ports/store.ts'
import { createJsonStore } from '../../../../src/store/json/store.ts'
import { bundledProgram } from './bundled-program.ts'

const program = fileURLToPath(new URL('../../../fixtures/store/work-hard.ts', import.meta.url))

/** What processes that are dead by now were told of a run. */
interface Told {
  stored: number
  readonly blobs: string[]
  removal?: 'asked' | 'done'
}

/** Looking at everything after every kill would take longer, with every round, than all the rest. */
const wholeLookEvery = 10

/**
 * Kills a process at work with `kill -9`, again and again; looks after each kill whether all that it was told is there, now and then
 * whether all that its forerunners were told is there as well. Says how far it is.
 */
export async function killAgainAndAgain(
  rounds: number,
  seed: string,
): Promise<{ readonly opening: number; readonly stored: number }> {
  const folder = await mkdtemp(join(tmpdir(), 'flotilla-kill-'))
  const store = join(folder, 'store')
  const ids = seededIds(seed)
  const told = new Map<string, Told>()
  let opening = 0
  const storedSoFar = () => [...told.values()].reduce((sum, { stored }) => sum + stored, 0)
  try {
    const file = await bundledProgram(program, folder)
    for (let round = 0; round < rounds; round += 1) {
      const isWhileOpening = round % 3 === 2
      const afterMs = ids.random() * (isWhileOpening ? 12 : 250)
      const lines = await killed([file, store, `r${round}-`], isWhileOpening ? 'opening' : 'opened', afterMs)
      if (!lines.includes('opened')) opening += 1
      for (const line of lines) take(told, line)
      const isWhole = round % wholeLookEvery === wholeLookEvery - 1 || round === rounds - 1
      const looked = [...told].filter(([run]) => isWhole || run.startsWith(`r${round}-`) || run.startsWith(`r${round - 1}-`))
      await examine(store, new Map(looked), `seed ${seed}, round ${round}`, round % 2 === 0)
      if (isWhole)
        console.log(`${seed}: ${round + 1} of ${rounds} kills, ${opening} while opening, ${storedSoFar()} entries told of.`)
    }
  } finally {
    await rm(folder, { recursive: true })
  }
  return { opening, stored: storedSoFar() }
}

/** Everything that the process said until it was killed, some time after it had said a word. */
async function killed(argv: readonly string[], word: string, afterMs: number): Promise<readonly string[]> {
  const child = spawn(process.execPath, argv, { stdio: ['ignore', 'pipe', 'inherit'] })
  const ended = once(child.stdout, 'end')
  // A process that dies closes its pipes before it is gone, and owns the store until then.
  const gone = once(child, 'exit')
  let text = ''
  const said = new Promise<void>((resolve) =>
    child.stdout.setEncoding('utf8').on('data', (piece: string) => {
      text += piece
      if (text.includes(`${word}\n`)) resolve()
    }),
  )
  await Promise.race([said, ended])
  await setTimeout(afterMs)
  child.kill('SIGKILL')
  await Promise.all([ended, gone])
  return text.split('\n').slice(0, -1)
}

function take(told: Map<string, Told>, line: string): void {
  const [word, run = '', more = ''] = line.split(' ')
  if (run === '') return
  const account = told.get(run) ?? { stored: 0, blobs: [] }
  told.set(run, account)
  if (word === 'stored') account.stored = Number(more)
  if (word === 'kept') account.blobs.push(more)
  if (word === 'removing') account.removal = 'asked'
  if (word === 'removed') account.removal = 'done'
}

/** A reader and a new owner both find what was told. The owner closes in good order, or leaves it to the next one. */
async function examine(folder: string, told: ReadonlyMap<string, Told>, where: string, closes: boolean): Promise<void> {
  const make = () => createJsonStore({ folder, clock: systemClock(), ids: systemIds() })
  const reader = make()
  for (const [run, account] of told) await examineRun(reader, run, account, where)
  if (!closes) return
  const owner = make()
  const { warnings } = await owner.open({ instance: 'examiner' })
  expect(
    warnings.filter((warning) => !warning.startsWith('A torn tail')),
    where,
  ).toEqual([])
  for (const [run, account] of told) await examineRun(owner, run, account, where)
  await owner.close()
}

async function examineRun(store: Store, run: string, { stored, blobs, removal }: Told, where: string): Promise<void> {
  const entries = await store.read(run, { from: 1, limit: 100 })
  if (removal !== undefined && entries.length === 0) {
    expect(await store.row({ id: run }), where).toBeUndefined()
    return
  }
  expect(removal, `${run} came back, ${where}`).not.toBe('done')
  expect(
    entries.map(({ text }) => text),
    where,
  ).toEqual(entries.map((_, index) => `${run} ${index + 1}`))
  expect(entries.length, `${run}, ${where}`).toBeGreaterThanOrEqual(stored)
  expect(entries.length % 3, `half a batch of ${run}, ${where}`).toBe(0)
  // A removal that was cut off may have taken the folder with it.
  if (removal === undefined)
    for (const sha256 of blobs) expect((await store.blobs.open(run, sha256))?.toString(), where).toBe(`log of ${run}`)
  const snapshot = await store.loadSnapshot(run)
  if (snapshot !== undefined) expect(snapshot, where).toEqual({ seq: 6, records: [{ key: 'a', seq: 6, value: run }] })
}
