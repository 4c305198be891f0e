import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, onTestFinished, test } from 'vitest'
import { assertRun, openRecording, replay } from '../../src/testing/index.ts'
import { scratch } from '../fixtures/scratch.ts'

const program = fileURLToPath(new URL('../fixtures/record-commands.ts', import.meta.url))
const tsx = fileURLToPath(import.meta.resolve('tsx'))
const canary = 'canary-5e0f1d'

describe.runIf(process.platform === 'linux')('a real fleet that records', () => {
  test(
    'CO2 two processes with real time, files and commands, the first killed with kill -9, are decided again the same',
    { timeout: 90_000 },
    async () => {
      const folder = await scratch({})
      onTestFinished(() => folder.remove())
      const store = join(folder.path, 'store')
      const first = drive(store, folder.path)
      await once(first.stdout!, 'data')
      await new Promise((resolve) => setTimeout(resolve, 400))
      expect(first.exitCode).toBeNull()
      first.kill('SIGKILL')
      await once(first, 'exit')

      const killed = await openRecording(store)
      expect(await replay(killed)).toEqual({ same: true, steps: killed.steps.length })
      expect(killed.steps.length).toBeGreaterThan(20)

      const [code] = (await once(drive(store, folder.path), 'exit')) as [number | null]
      expect(code).toBe(0)
      const whole = await openRecording(store)
      expect(whole.steps.slice(0, killed.steps.length)).toEqual(killed.steps)
      expect(await replay(whole)).toEqual({ same: true, steps: whole.steps.length })
      expect(whole.isCut).toBe(false)
      await assertRun((await whole.at()).run('real'), {
        status: 'cancelled',
        tasks: {
          'step-0': 'completed',
          'step-5': 'completed',
          write: { status: 'completed', result: 'pass' },
          slow: 'cancelled',
        },
      })
      // It is compared: another limit is seen.
      const other = await replay(whole, { limits: { leaseTtlMs: 400 } })
      expect(other.divergence).toMatchObject({ kind: 'entry', run: 'real' })

      const names = await readdir(join(store, 'recordings'))
      expect(names).toEqual(['0000000001.ndjson', '0000000002.ndjson'])
      const text = (await Promise.all(names.map((name) => readFile(join(store, 'recordings', name), 'utf8')))).join('')
      expect(text).toContain('CANARY')
      expect(text).not.toContain(canary)
    },
  )
})

function drive(store: string, workspace: string): ReturnType<typeof spawn> {
  return spawn(process.execPath, ['-C', 'flotilla-source', '--import', tsx, program, store, workspace], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, CANARY: canary },
  })
}
