import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, onTestFinished, test } from 'vitest'
import type { Entry } from '../../src/engine/entry.ts'
import { openControl } from '../../src/fleet/control.ts'
import { jsonStore } from '../../src/fleet/stores.ts'
import { seededIds } from '../../src/host/seeded-ids.ts'
import { until } from '../fixtures/processes.ts'
import { scratch } from '../fixtures/scratch.ts'

const rounds = process.env['FLOTILLA_FULL'] === '1' ? 20 : 4
const seed = process.env['FLOTILLA_SEED'] ?? 'kill nine'
const program = fileURLToPath(new URL('../fixtures/drive-commands.ts', import.meta.url))

describe.runIf(process.platform === 'linux')('a driver that is killed', () => {
  test.for(Array.from({ length: rounds }, (_, round) => `${seed} ${round}`))(
    'LE6 a driver killed with kill -9 at a random moment leaves nothing running twice and nothing undone (seed: %s)',
    { timeout: 90_000 },
    async (roundSeed) => {
      const folder = await scratch({ 'log.txt': '' })
      onTestFinished(() => folder.remove())
      const store = join(folder.path, 'store')
      const log = join(folder.path, 'log.txt')
      const ids = seededIds(roundSeed)
      // Twice at most: what is cut off three times in a row by crashes has failed (LE8).
      const kills = 1 + Math.floor(ids.random() * 2)
      const moments: string[] = []
      for (let kill = 0; kill < kills; kill += 1) {
        const [ends, afterMs] = [1 + Math.floor(ids.random() * 5), Math.floor(ids.random() * 250)]
        moments.push(`after ${ends} more ends and ${afterMs} ms`)
        const before = linesOf(log, 'end').length
        const driver = drive(store, log)
        await until(() => linesOf(log, 'end').length >= before + ends || driver.exitCode !== null, `${ends} ends`)
        await new Promise((resolve) => setTimeout(resolve, afterMs))
        // Else the round would show nothing.
        if (kill === 0) expect(driver.exitCode).toBeNull()
        await killed(driver)
      }
      console.log(`seed "${roundSeed}": killed ${moments.join(', then ')}`)

      const last = drive(store, log)
      const [code] = (await once(last, 'exit')) as [number | null]
      expect(code).toBe(0)

      const starts = linesOf(log, 'start')
      const finishes = linesOf(log, 'end')
      // What was cut off began again.
      expect(starts.length).toBeGreaterThan(20)
      expect(linesOf(log, 'overlap')).toEqual([])
      for (const [task, attempts] of byTask(starts)) {
        const numbers = attempts.map((line) => line.attempt)
        expect(numbers, `attempts of ${task}`).toEqual([...new Set(numbers)].toSorted((a, b) => a - b))
        for (const [index, begun] of attempts.entries()) {
          const finished = finishes.find((line) => line.task === task && line.attempt === begun.attempt)
          const following = attempts[index + 1]
          if (finished !== undefined && following !== undefined)
            expect(finished.at, `${task}, attempt ${begun.attempt}`).toBeLessThan(following.at)
        }
      }

      const control = openControl(jsonStore({ folder: store }))
      onTestFinished(() => control.close())
      const [row] = await control.runs()
      expect(row).toMatchObject({ status: 'completed', tasks: 20 })
      const receipts = await control.run(row!.id).receipts()
      expect(receipts.map((receipt) => receipt.task_id).toSorted()).toEqual(
        Array.from({ length: 20 }, (_, index) => `t${index}`).toSorted(),
      )
      expect(receipts.every((receipt) => receipt.result === 'pass')).toBe(true)
      // The attempt that the receipt speaks of is the last one that began, and it ended.
      for (const receipt of receipts) {
        const last = starts.findLast((line) => line.task === receipt.task_id)
        expect(receipt.attempt).toBe(last?.attempt)
        expect(finishes.some((line) => line.task === receipt.task_id && line.attempt === receipt.attempt)).toBe(true)
      }
      const entries = (await jsonStore({ folder: store }).read(row!.id, { from: 1, limit: 10_000 })) as unknown as Entry[]
      expect(Math.max(...entries.map((entry) => entry.set?.failures ?? 0))).toBe(0)
      expect(carriersOf(folder.path)).toEqual([])
    },
  )
})

/** Starts the driver; whatever becomes of the test, it ends with it. */
function drive(store: string, log: string): ChildProcess {
  const child = spawn(process.execPath, ['--import', 'tsx', '-C', 'flotilla-source', program, store, log], {
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  onTestFinished(() => killed(child))
  return child
}

async function killed(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const gone = once(child, 'exit')
  child.kill('SIGKILL')
  await gone
}

interface Line {
  readonly task: string
  readonly attempt: number
  /** Nanoseconds. */
  readonly at: bigint
}

function linesOf(log: string, word: string): Line[] {
  const lines = readFileSync(log, 'utf8')
    .split('\n')
    .filter((line) => line.startsWith(`${word} `))
  return lines.map((line) => {
    const [, task = '', attempt = '', , at = '0'] = line.split(' ')
    return { task, attempt: Number(attempt), at: BigInt(at) }
  })
}

function byTask(lines: readonly Line[]): Map<string, Line[]> {
  return new Map([...new Set(lines.map((line) => line.task))].map((task) => [task, lines.filter((line) => line.task === task)]))
}

/** Processes that carry a lease of a store in this folder. */
function carriersOf(folder: string): number[] {
  return readdirSync('/proc')
    .map(Number)
    .filter((pid) => {
      if (!Number.isInteger(pid)) return false
      try {
        const environment = readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0')
        return (
          environment.some((entry) => entry.startsWith('FLOTILLA_STORE=')) &&
          environment.some((entry) => entry.startsWith(`FLOTILLA_FOLDER=${folder}`))
        )
      } catch {
        return false
      }
    })
}
