import { describe, expect, it, vi } from 'vitest'
import { cliFolder, shellTask } from '../support/cli.ts'

// Each command is a process of its own, and the machine may be busy.
vi.setConfig({ testTimeout: 60_000 })

describe('flotilla run', () => {
  it('RU3 runs a file to its end, tells each step on a line, and ends with 0', async () => {
    await using folder = await cliFolder()
    await folder.file('two.json', {
      tasks: [shellTask('first', 'echo one'), shellTask('second', 'echo two', { depends_on: ['first'] })],
    })
    const { exit, out, err } = await folder.flotilla('run', 'two.json')
    expect(err).toBe('')
    expect(exit).toBe(0)
    expect(out).toMatch(/✓ first +passed/)
    expect(out).toMatch(/✓ two completed\n +2 of 2 completed/)
    expect(out.indexOf('✓ first')).toBeLessThan(out.indexOf('▸ second'))
  })

  it('RE2 tells of a retry with its moment, and runs TOML', async () => {
    await using folder = await cliFolder()
    await folder.file(
      'flaky.toml',
      `name = "flaky"
[[tasks]]
id = "once"
name = "Once"
instructions = "Fails the first time."
retry_policy = { initial_backoff_seconds = 1 }
scorer = { kind = "exit_code" }
metadata = { command = ["sh", "-c", "test -e tried || { touch tried; exit 7; }"] }
`,
    )
    const { exit, out } = await folder.flotilla('run', 'flaky.toml')
    expect(out).toMatch(/↻ once +retry +attempt 1 failed; again at \d\d:\d\d:\d\d — exit code 7/)
    expect(out).toMatch(/✓ pass +2 /)
    expect(exit).toBe(0)
  })

  it('RU3 ends with 1 when a task fails, and tells how to see why', async () => {
    await using folder = await cliFolder()
    await folder.file('bad.json', [
      shellTask('bad', 'echo broken; exit 3', { retry_policy: { max_attempts: 1 } }),
      shellTask('after', 'true', { depends_on: ['bad'] }),
    ])
    const { exit, out } = await folder.call('run', 'bad.json')
    expect(exit).toBe(1)
    expect(out).toMatch(/✗ bad +failed .*exit code 3 broken/)
    expect(out).toMatch(/⊘ after +cancelled +because of bad/)
    const hint = /flotilla (logs run-\S+ bad)/.exec(out)?.[1] ?? ''
    expect((await folder.call(...hint.split(' '))).out).toBe('broken\n')
  })

  it('VE5 ends with 3 while a verdict is awaited, tells the command that gives it, and that command works', async () => {
    await using folder = await cliFolder()
    await folder.file('ask.json', [
      shellTask('draft', 'echo draft', { scorer: { kind: 'manual' } }),
      shellTask('send', 'echo sent', { depends_on: ['draft'] }),
    ])
    const first = await folder.call('run', 'ask.json')
    expect(first.exit).toBe(3)
    const settle = /flotilla (settle \S+ \S+ pass) --folder .flotilla/.exec(first.out)?.[1] ?? ''
    const resume = /flotilla (resume \S+)/.exec(first.out)?.[1] ?? ''
    expect((await folder.call(...settle.split(' '), '--by', 'ada', '--why', 'it reads well')).exit).toBe(0)
    const last = await folder.call(...resume.split(' '))
    expect(last.out).toMatch(/settled by ada: it reads well/)
    expect(last.exit).toBe(0)
  })

  it('AR5 ends with 3 when an expected artifact is missing, VE5 and with --strict when nothing checked a success', async () => {
    await using folder = await cliFolder()
    await folder.file('kinds.json', [shellTask('quiet', 'true', { expected_artifacts: ['report'] })])
    const missing = await folder.call('run', 'kinds.json')
    expect(missing.out).toContain('missing: report')
    expect(missing.exit).toBe(3)
    await folder.file('unscored.json', [shellTask('loose', 'true', { scorer: null })])
    expect((await folder.call('run', 'unscored.json')).exit).toBe(0)
    expect((await folder.call('run', 'unscored.json', '--strict')).exit).toBe(3)
  })

  it('RU2 gives the same run for the same key', async () => {
    await using folder = await cliFolder()
    await folder.file('a.json', [shellTask('count', 'echo x >> ran')])
    const first = await folder.call('run', 'a.json', '--key', 'k1', '--json')
    const second = await folder.call('run', 'a.json', '--key', 'k1', '--json')
    expect(first.rows.at(-1)).toMatchObject({ summary: { exit_code: 0, created: true } })
    expect(second.rows).toHaveLength(1)
    expect(second.rows[0]).toMatchObject({ summary: { exit_code: 0, created: false } })
    await folder.file('a.json', [shellTask('count', 'echo y >> ran')])
    const other = await folder.call('run', 'a.json', '--key', 'k1')
    expect(other.err).toContain('has another spec')
    expect(other.exit).toBe(2)
  })

  it('SC3 takes handlers and workers from modules', async () => {
    await using folder = await cliFolder()
    await folder.file(
      'more.mjs',
      `export const handlers = { greet: ({ input, log }) => { log('hello ' + input.name); return 'hi' } }\nexport const workers = [{ id: 'plain', run: () => 1 }]`,
    )
    await folder.file('t.json', [
      { id: 'a', name: 'a', instructions: 'x', handler: 'greet', input: { name: 'Ada' } },
      { id: 'b', name: 'b', instructions: 'x' },
    ])
    const { exit, out } = await folder.flotilla('run', 't.json', '--worker', 'more.mjs')
    expect(out).toMatch(/▸ a +started +on handlers/)
    expect(out).toMatch(/▸ b +started +on plain/)
    expect(exit).toBe(0)
    expect((await folder.flotilla('logs', 'a')).out).toBe('hello Ada\n')
  })

  it('EV2 --json prints every event, in order, and the summary last', async () => {
    await using folder = await cliFolder()
    await folder.file('one.json', [shellTask('only', 'echo hi')])
    const { rows, err } = await folder.call('run', 'one.json', '--json')
    expect(err).toBe('')
    const names = rows.map((row) => row['event'])
    expect(names[0]).toBe('run.created')
    expect(names).toContain('task.receipt_recorded')
    expect(rows.at(-2)).toMatchObject({ event: 'alert.raised', payload: { class: 'run_completed' } })
    expect(rows.at(-1)).toMatchObject({
      summary: { exit_code: 0, run: { status: 'completed', completed: 1, tasks: [{ task_id: 'only', result: 'pass' }] } },
    })
    const { run_id } = (rows.at(-1)!['summary'] as { run: { run_id: string } }).run
    const replayed = await folder.call('events', run_id, '--json')
    expect(replayed.rows.slice(0, -1)).toEqual(rows.slice(0, -1))
  })
})
