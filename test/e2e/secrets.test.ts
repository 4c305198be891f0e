import { chmod, mkdir, readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { createFleet, jsonStore } from '../../src/index.ts'
import { cliFolder } from '../support/cli.ts'
import { canary, formsIn, noRedaction, printingTask, seeSecret } from '../support/secret-world.ts'

vi.setConfig({ testTimeout: 120_000 })
afterEach(() => vi.unstubAllEnvs())

describe('a planted secret', () => {
  test('SE5 is seen nowhere, though functions and commands print it everywhere; no beginning of it is left where a reason is cut', async () => {
    await using folder = await cliFolder()
    expect(await seeSecret(folder)).toEqual({})
    const journal = await readJournal(join(folder.path, '.flotilla'))
    expect(journal).toContain('<secret:CANARY>')
    for (const part of [canary.slice(0, 6), canary.slice(-8)]) {
      const at = journal.indexOf(part)
      expect(at < 0 ? '' : journal.slice(Math.max(0, at - 100), at + 100)).toBe('')
    }
  })

  test('SE5 is seen everywhere once nothing is redacted: the same test fails (control)', async () => {
    await using folder = await cliFolder()
    const places = Object.keys(await seeSecret(folder, noRedaction)).sort()
    expect(places).toEqual([
      'alerts',
      'artifacts',
      'command line',
      'errors',
      'files',
      'live events',
      'logs',
      'receipts',
      'replayed events',
    ])
  })

  test.runIf(process.platform === 'linux')(
    'SE5 reaches a command by its environment, and stands in no argument list',
    async () => {
      await using folder = await cliFolder()
      const gate = join(folder.path, 'gate')
      const fleet = await createFleet({
        store: jsonStore({ folder: join(folder.path, '.flotilla') }),
        workspace: folder.path,
        secrets: { source: 'vault', resolve: () => Promise.resolve(canary) },
        workers: [{ id: 'commands', commands: true }],
      })
      const run = await fleet.start({
        name: 'argv',
        security_policy: { default_trust_level: 'local', allowed_secrets: ['CANARY'] },
        tasks: [printingTask('wait', 'pass', gate) as never],
      })
      const pid = await untilWritten(`${gate}.ready`)
      expect(await readFile(`/proc/${pid}/environ`, 'utf8')).toContain(`CANARY=${canary}`)
      const processes = (await readdir('/proc')).filter((name) => /^\d+$/.test(name))
      const lines = await Promise.all(processes.map((one) => readFile(`/proc/${one}/cmdline`, 'utf8').catch(() => '')))
      expect(lines.flatMap(formsIn)).toEqual([])
      await folder.file('gate', '')
      expect((await run.result()).status).toBe('completed')
      await fleet.close()
    },
  )
})

describe('secrets of the command line', () => {
  const document = {
    security_policy: { allowed_secrets: [{ key: 'CANARY' }] },
    tasks: [printingTask('print', 'pass'), printingTask('break', 'fail')],
  }

  test('SE5 come from its environment, and it prints none of them', async () => {
    vi.stubEnv('CANARY', canary)
    for (const more of [[], ['--json']]) {
      await using folder = await cliFolder()
      await folder.file('canary.json', document)
      // Once as a process of its own.
      const run = more.length === 0 ? folder.call : folder.flotilla
      const { exit, out, err } = await run('run', 'canary.json', ...more)
      expect(exit).toBe(1)
      expect(formsIn(out + err)).toEqual([])
      const log = await folder.call('logs', 'print', ...more)
      expect(formsIn(log.out)).toEqual([])
      expect(log.out).toContain('summary <secret:CANARY>')
      expect(formsIn(await readJournal(join(folder.path, '.flotilla')))).toEqual([])
    }
  })

  test('SE5 come from the files of --secrets before that, and from modules before both', async () => {
    vi.stubEnv('CANARY', 'the one of the environment')
    await using folder = await cliFolder()
    const keys = join(folder.path, 'keys')
    await mkdir(keys)
    const file = await folder.file('keys/CANARY', 'the one of the file\n')
    await chmod(file, 0o600)
    const vault = await folder.file(
      'vault.mjs',
      `export const secrets = [{ source: 'vault', resolve: (key) => (key === 'CANARY' ? 'the one of the module' : undefined) }]`,
    )
    const command = ['sh', '-c', 'case "$CANARY" in *environment) exit 11;; *file) exit 12;; *module) exit 13;; esac']
    await folder.file('which.json', {
      security_policy: { allowed_secrets: ['CANARY'] },
      tasks: [{ id: 'which', name: 'which', instructions: 'x', metadata: { command }, retry_policy: { max_attempts: 1 } }],
    })
    const reason = async (...words: string[]) => (await folder.call('run', 'which.json', ...words)).out
    expect(await reason()).toContain('exit code 11')
    expect(await reason('--secrets', keys)).toContain('exit code 12')
    expect(await reason('--secrets', keys, '--worker', vault)).toContain('exit code 13')
  })

  test('SE5 that are nowhere fail the task for good, named and not valued; a source that it does not have is refused', async () => {
    await using folder = await cliFolder()
    await folder.file('absent.json', { ...document, security_policy: { allowed_secrets: ['FLOTILLA_TEST_ABSENT'] } })
    const refused = await folder.call('run', 'absent.json')
    expect(refused.exit).toBe(2)
    expect(refused.err).toContain('<secret:FLOTILLA_TEST_ABSENT> is a variable that programs and the fleet itself go by')
    await folder.file('absent.json', { ...document, security_policy: { allowed_secrets: ['NOT_SET_ANYWHERE'] } })
    const absent = await folder.call('run', 'absent.json')
    expect(absent.exit).toBe(1)
    expect(absent.out).toContain('The secret <secret:NOT_SET_ANYWHERE> cannot be resolved: it is not in env.')
    await folder.file('keyring.json', {
      ...document,
      security_policy: { allowed_secrets: [{ key: 'A_KEY', source: 'keyring' }] },
    })
    const keyring = await folder.call('run', 'keyring.json')
    expect(keyring.exit).toBe(2)
    expect(keyring.err).toContain(
      'security_policy.allowed_secrets[0].source: <secret:keyring.A_KEY>: no source "keyring" is given',
    )
    expect((await folder.call('run', 'absent.json', '--secrets', 'nowhere')).err).toContain(
      '--secrets nowhere: there is no such folder',
    )
  })
})

async function readJournal(folder: string): Promise<string> {
  const names = await readdir(folder, { recursive: true, withFileTypes: true })
  const files = names.filter((entry) => entry.isFile() && !entry.parentPath.includes('/artifacts'))
  return (await Promise.all(files.map((entry) => readFile(join(entry.parentPath, entry.name), 'utf8')))).join('\n')
}

async function untilWritten(path: string): Promise<string> {
  await expect.poll(() => readFile(path, 'utf8').catch(() => ''), { timeout: 30_000 }).not.toBe('')
  return readFile(path, 'utf8')
}
