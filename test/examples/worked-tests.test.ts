import { execFile } from 'node:child_process'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { userFolder } from '../support/bundled-package.ts'
import type { UserFolder } from '../support/bundled-package.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const vitest = fileURLToPath(new URL('vitest.mjs', import.meta.resolve('vitest/package.json')))

interface Outcome {
  readonly code: number
  readonly passed: number
  readonly failed: number
  readonly output: string
}

interface Runner {
  readonly file: string
  /** Program, and arguments before the file. */
  readonly args: readonly string[]
  /** Reads how many passed and failed. */
  readonly counted: (stdout: string) => Pick<Outcome, 'passed' | 'failed'>
}

const runners: Readonly<Record<string, Runner>> = {
  vitest: {
    file: 'vitest.test.ts',
    args: [vitest, 'run', '--reporter=json'],
    counted(stdout) {
      const { numPassedTests, numFailedTests } = JSON.parse(stdout) as { numPassedTests: number; numFailedTests: number }
      return { passed: numPassedTests, failed: numFailedTests }
    },
  },
  'node:test': {
    file: 'node.test.ts',
    args: ['--import', import.meta.resolve('tsx'), '--test', '--test-reporter=tap'],
    counted: (stdout) => ({
      passed: Number(/^# pass (\d+)$/m.exec(stdout)?.[1]),
      failed: Number(/^# fail (\d+)$/m.exec(stdout)?.[1]),
    }),
  },
}

describe.each(Object.entries(runners))('DE1 the worked tests for %s', (_, { file, args, counted }) => {
  let user: UserFolder
  beforeAll(async () => {
    user = await userFolder()
    // Or Vitest takes that of this repository.
    await writeFile(join(user.path, 'vitest.config.mjs'), 'export default {}')
  }, 60_000)
  afterAll(() => user[Symbol.asyncDispose]())

  async function outcomeOf(source: string): Promise<Outcome> {
    await writeFile(join(user.path, file), source)
    return new Promise((resolve) => {
      execFile(process.execPath, [...args, file], { cwd: user.path }, (error, stdout, stderr) => {
        resolve({ code: error === null ? 0 : Number(error.code), ...counted(stdout), output: stdout + stderr })
      })
    })
  }

  it('pass in a folder of a user', { timeout: 60_000 }, async () => {
    const outcome = await outcomeOf(await readFile(join(root, 'examples/testing', file), 'utf8'))
    expect(outcome, outcome.output).toMatchObject({ code: 0, passed: 7, failed: 0 })
  })

  it('fail where what they expect is wrong, and tell the story of the run', { timeout: 60_000 }, async () => {
    const source = await readFile(join(root, 'examples/testing', file), 'utf8')
    const wrong = source.replace("attempts: 2, worker: 'well'", "attempts: 3, worker: 'well'")
    expect(wrong).not.toBe(source)
    const outcome = await outcomeOf(wrong)
    expect(outcome, outcome.output).toMatchObject({ code: 1, passed: 6, failed: 1 })
    expect(outcome.output).toContain('the task ship: attempts is 2, not 3')
    expect(outcome.output).toContain('ship#2 on well')
  })
})
