import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it, vi } from 'vitest'
import { isRunning, until } from '../fixtures/processes.ts'
import { cliFolder, shellTask, untilFile } from '../support/cli.ts'

// Each command is a process of its own, and the machine may be busy.
vi.setConfig({ testTimeout: 60_000 })

describe('flotilla run that is told to end', () => {
  it('CO8 lets what runs end at the first Ctrl-C, starts nothing more, and can be resumed', async () => {
    await using folder = await cliFolder()
    await folder.file('t.json', [shellTask('slow', untilFile('go')), shellTask('next', 'true', { depends_on: ['slow'] })])
    const run = folder.start('run', 't.json')
    await run.says('▸ slow')
    run.child.kill('SIGINT')
    await run.says('The task that is running gets 10 s to end; Ctrl-C again ends it at once.')
    await folder.file('go', '')
    const { exit, out } = await run.ended
    expect(out).toContain('✓ slow')
    expect(out).not.toContain('▸ next')
    expect(exit).toBe(130)
    const resumed = await folder.flotilla(...(/flotilla (resume .*)/.exec(out)?.[1] ?? '').split(' '))
    expect(resumed.out).toContain('✓ next')
    expect(resumed.exit).toBe(0)
  })

  it('CO8 ends at once at the second Ctrl-C, LE8 and spends no attempt of what it cut off', async () => {
    await using folder = await cliFolder()
    await folder.file('t.json', [
      shellTask('deaf', `trap '' TERM; echo $$ > pid; ${untilFile('go')}`, { retry_policy: { max_attempts: 1 } }),
    ])
    const run = folder.start('run', 't.json')
    await run.says('▸ deaf')
    const waiting = folder.flotilla('events', '--follow')
    await until(() => folder.has('pid'))
    run.child.kill('SIGINT')
    await run.says('Stopping.')
    run.child.kill('SIGINT')
    expect((await run.ended).exit).toBe(130)
    const pid = Number(await readFile(join(folder.path, 'pid'), 'utf8'))
    expect(isRunning(pid)).toBe(false)
    await folder.file('go', '')
    const resumed = await folder.flotilla('resume')
    expect(resumed.out).toMatch(/▸ deaf +started +attempt 2/)
    expect(resumed.exit).toBe(0)
    expect((await waiting).exit).toBe(0)
  })

  it('CO8 ends with 143 at SIGTERM, after the grace that was asked for', async () => {
    await using folder = await cliFolder()
    await folder.file('t.json', [shellTask('slow', untilFile('go'))])
    const run = folder.start('run', 't.json', '--grace', '0', '--json')
    await run.says('worker.running')
    run.child.kill('SIGTERM')
    const { exit, rows } = await run.ended
    expect(rows.at(-1)).toMatchObject({ summary: { exit_code: 143, stopped_by: 'SIGTERM', run: { status: 'running' } } })
    expect(exit).toBe(143)
  })
})

describe('flotilla resume', () => {
  it('LE6 ends what a killed fleet left, with no two processes of one task, and grows the attempt', async () => {
    await using folder = await cliFolder()
    await folder.file('t.json', [
      shellTask('slow', `echo $$ >> pids; ${untilFile('go')}`),
      shellTask('next', 'true', { depends_on: ['slow'] }),
    ])
    const run = folder.start('run', 't.json')
    await run.says('▸ slow')
    await until(() => folder.has('pids'))
    run.child.kill('SIGKILL')
    expect((await run.ended).exit).toBe('SIGKILL')
    const resumed = folder.start('resume')
    await resumed.says('attempt 2')
    const [first] = (await readFile(join(folder.path, 'pids'), 'utf8')).split('\n')
    expect(isRunning(Number(first))).toBe(false)
    await folder.file('go', '')
    const { exit, out } = await resumed.ended
    expect(out).toContain('✓ next')
    expect(exit).toBe(0)
  })

  it('RU10 without a handler that a run needs ends with 2, names it, and leaves the run as it was', async () => {
    await using folder = await cliFolder()
    await folder.file(
      'h.mjs',
      `export const handlers = { slow: ({ signal }) => new Promise((resolve, reject) => { console.error('up'); signal.addEventListener('abort', () => reject(signal.reason)) }) }`,
    )
    await folder.file('quick.mjs', 'export const handlers = { slow: () => 1 }')
    await folder.file('t.json', [{ id: 'a', name: 'a', instructions: 'x', handler: 'slow' }])
    const run = folder.start('run', 't.json', '--worker', 'h.mjs', '--grace', '0')
    await run.says('▸ a')
    run.child.kill('SIGINT')
    expect((await run.ended).exit).toBe(130)
    const before = await folder.call('events', '--json')
    const refused = await folder.call('resume')
    expect(refused.err).toMatch(/needs the handler slow\. Pass a module that exports it with --worker/)
    expect(refused.exit).toBe(2)
    expect((await folder.call('events', '--json')).out).toBe(before.out)
    expect((await folder.flotilla('resume', '--worker', 'quick.mjs')).exit).toBe(0)
  })

  it('ST11 carries on every run that is neither ended nor paused, and a named one from its pause; the worst exit code counts', async () => {
    await using folder = await cliFolder()
    const slow = untilFile('go')
    for (const name of ['good', 'bad', 'held']) {
      await folder.file(`${name}.json`, {
        id: name,
        name,
        tasks: [shellTask('t', name === 'bad' ? `${slow}; exit 1` : slow, { retry_policy: { max_attempts: 1 } })],
      })
      const run = folder.start('run', `${name}.json`, '--grace', '0')
      await run.says('▸ t')
      run.child.kill('SIGINT')
      expect((await run.ended).exit).toBe(130)
    }
    expect((await folder.call('pause', 'held')).exit).toBe(0)
    expect((await folder.call('pause')).err).toContain('Several runs may be meant')
    await folder.file('go', '')
    const all = await folder.call('resume', '--json')
    expect(all.rows.at(-1)).toMatchObject({ summary: { exit_code: 1 } })
    const { runs } = all.rows.at(-1)!['summary'] as { runs: { run_id: string; status: string }[] }
    expect(Object.fromEntries(runs.map((run) => [run.run_id, run.status]))).toEqual({ good: 'completed', bad: 'failed' })
    expect(all.exit).toBe(1)
    expect((await folder.call('resume', 'held')).exit).toBe(0)
    expect(await folder.call('resume')).toMatchObject({ exit: 0, out: 'There is nothing to resume.\n' })
  })
})
