import { describe, expect, it, vi } from 'vitest'
import { cliFolder, shellTask, untilFile } from '../support/cli.ts'

// Each command is a process of its own, and the machine may be busy.
vi.setConfig({ testTimeout: 60_000 })

describe('ST10 while flotilla run works, other processes', () => {
  it('ST10 read how it stands, and creating nothing, follow it', async () => {
    await using folder = await cliFolder()
    await folder.file('t.json', [
      shellTask('slow', `echo begun; ${untilFile('go')}`),
      shellTask('next', 'true', { depends_on: ['slow'] }),
    ])
    const run = folder.start('run', 't.json')
    await run.says('▸ slow')
    const follower = folder.start('events', '--follow')
    await follower.says('worker.running')
    const status = await folder.call('status', '--json')
    expect(status.rows[0]).toMatchObject({ status: 'running', running: 1, queued: 1 })
    expect(status.rows.at(-1)).toMatchObject({ summary: { owner: { pid: run.child.pid } } })
    expect((await folder.call('explain', 'next')).out).toContain('It waits for slow, which is running.')
    expect((await folder.call('logs', 'slow')).out).toBe('begun\n')
    await folder.file('go', '')
    expect((await run.ended).exit).toBe(0)
    const followed = await follower.ended
    expect(followed.out).toContain('run.status_changed  status=completed')
    expect(followed.exit).toBe(0)
  })

  it('RU4 pause it, so that nothing new starts, and resume it', async () => {
    await using folder = await cliFolder()
    await folder.file('t.json', [shellTask('slow', untilFile('go')), shellTask('next', 'true', { depends_on: ['slow'] })])
    const run = folder.start('run', 't.json')
    await run.says('▸ slow')
    expect(await folder.call('pause', '--json')).toMatchObject({
      exit: 0,
      rows: [{ summary: { changed: true, taken_by: 'owner' } }],
    })
    await run.says('paused')
    await folder.file('go', '')
    await run.says('✓ slow')
    expect((await folder.call('explain', 'next')).out).toContain('The run is paused.')
    expect(run.out).not.toContain('▸ next')
    expect((await folder.call('resume')).exit).toBe(0)
    const { exit, out } = await run.ended
    expect(out).toContain('✓ next')
    expect(exit).toBe(0)
  })

  it('RU5 cancel a task, interrupt a worker, and cancel the rest', async () => {
    await using folder = await cliFolder()
    const forever = untilFile('never')
    await folder.file('t.json', [
      shellTask('one', forever),
      shellTask('two', forever),
      shellTask('three', forever, { depends_on: ['one'] }),
      shellTask('late', forever),
    ])
    const run = folder.start('run', 't.json', '--max-workers', '1')
    await run.says('▸ one')
    const [row] = (await folder.call('list', '--json')).rows
    const id = row!['run_id'] as string
    expect((await folder.call('cancel', id, 'one', '--by', 'ada')).out).toBe('The task one was cancelled.\n')
    await run.says('⊘ three')
    await run.says('▸ two')
    const interrupted = await folder.call('interrupt', 'local', '--json')
    expect(interrupted.rows).toMatchObject([
      { task_id: 'two', attempt: 1, changed: true },
      { summary: { worker_id: 'local', cancelled: 1 } },
    ])
    await run.says('▸ late')
    expect((await folder.call('cancel')).exit).toBe(0)
    const { exit, out } = await run.ended
    expect(out).toMatch(/⊘ t cancelled/)
    expect(exit).toBe(1)
    expect(await folder.call('cancel', id)).toMatchObject({ exit: 0, out: `The run ${id} has ended cancelled.\n` })
    expect((await folder.call('interrupt', 'nobody')).exit).toBe(2)
  })

  it('RU5 EV2 RU9 cancel tasks by tag, and tell of those with a tag alone', async () => {
    await using folder = await cliFolder()
    const forever = untilFile('never')
    await folder.file('t.json', [
      shellTask('one', untilFile('go'), { tags: ['keep'] }),
      shellTask('two', forever, { tags: ['drop', 'big'] }),
      shellTask('three', forever, { tags: ['drop'] }),
    ])
    const run = folder.start('run', 't.json', '--max-workers', '1')
    await run.says('▸ one')
    const waiting = await folder.call('explain', '--tag', 'drop', '--json')
    expect(waiting.rows).toMatchObject([{ task_id: 'two' }, { task_id: 'three' }, { summary: { tasks: 2 } }])
    for (const verb of ['explain', 'cancel']) {
      const { exit, err } = await folder.call(verb, 'r', 'one', '--tag', 'drop')
      expect([exit, err]).toEqual([2, expect.stringContaining('not both')])
    }
    expect((await folder.call('cancel', '--tag', 'drop')).out).toBe('2 open task(s) with one of the tags drop were cancelled.\n')
    await folder.file('go', '')
    expect((await run.ended).out).toContain('✓ one')
    const told = (await folder.call('events', '--tag', 'big', '--json')).rows
    expect(new Set(told.slice(0, -1).map((row) => row['task_id']))).toEqual(new Set(['two']))
    expect((await folder.call('explain')).exit).toBe(2)
  })

  it('VE5 settle a task that it awaits a verdict on', async () => {
    await using folder = await cliFolder()
    await folder.file('t.json', [
      shellTask('draft', 'true', { scorer: { kind: 'manual' } }),
      shellTask('send', 'true', { depends_on: ['draft'] }),
    ])
    const run = folder.start('run', 't.json', '--await-verdicts')
    await run.says('? draft')
    expect((await folder.call('settle', 'draft', 'pass', '--by', 'ada')).exit).toBe(0)
    const { exit, out } = await run.ended
    expect(out).toMatch(/✓ draft +settled +pass, by ada/)
    expect(out).toContain('✓ send')
    expect(exit).toBe(0)
    expect((await folder.call('settle', 'draft', 'fail')).err).toContain('no partial verdict to settle')
  })

  it('VE5 a failing verdict fails the run, also one that had completed', async () => {
    await using folder = await cliFolder()
    await folder.file('t.json', [shellTask('draft', 'true', { scorer: { kind: 'manual' } })])
    const run = folder.start('run', 't.json', '--await-verdicts')
    await run.says('? draft')
    expect((await folder.call('settle', 'draft', 'fail')).exit).toBe(0)
    expect((await run.ended).exit).toBe(1)
  })

  it('ST6 are refused as a second writer, with the owner named', async () => {
    await using folder = await cliFolder()
    await folder.file('t.json', [shellTask('slow', untilFile('go'))])
    const run = folder.start('run', 't.json')
    await run.says('▸ slow')
    const second = await folder.call('run', 't.json', '--json')
    expect(second.exit).toBe(1)
    expect(second.rows.at(-1)).toMatchObject({ error: { code: 'store_owned' } })
    expect(second.err).toContain(String(run.child.pid))
    await folder.file('go', '')
    expect((await run.ended).exit).toBe(0)
  })
})
