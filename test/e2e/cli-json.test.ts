import { describe, expect, it, vi } from 'vitest'
import { cliFolder, shellTask } from '../support/cli.ts'

// Each command is a process of its own, and the machine may be busy.
vi.setConfig({ testTimeout: 60_000 })

describe('flotilla on the side of a program', () => {
  it('EV2 --json ends every verb with one summary or one error', async () => {
    await using folder = await cliFolder()
    await folder.file('t.json', {
      id: 'r',
      name: 'r',
      tasks: [shellTask('a', 'echo hi', { scorer: { kind: 'manual' } }), shellTask('b', 'true', { depends_on: ['a'] })],
    })
    const verbs: readonly (readonly [args: readonly string[], exit: number, key: 'summary' | 'error'])[] = [
      [['run', 't.json'], 3, 'summary'],
      [['status'], 0, 'summary'],
      [['status', 'r'], 0, 'summary'],
      [['list'], 0, 'summary'],
      [['inspect', 'r', 'a'], 0, 'summary'],
      [['inspect', 'local'], 0, 'summary'],
      [['logs', 'r', 'a'], 0, 'summary'],
      [['artifacts', 'r'], 0, 'summary'],
      [['events', 'r'], 0, 'summary'],
      [['explain', 'b'], 0, 'summary'],
      [['pause', 'r'], 0, 'summary'],
      [['settle', 'r', 'a', 'pass', '--by', 'ada'], 0, 'summary'],
      [['interrupt', 'local'], 0, 'summary'],
      [['resume', 'r'], 0, 'summary'],
      [['restart', 'r', 'b'], 0, 'summary'],
      [['cancel', 'r'], 0, 'summary'],
      [['help'], 0, 'summary'],
      [['--version'], 0, 'summary'],
      [['settle', 'r', 'a', 'fail'], 1, 'error'],
      [['status', 'nobody'], 2, 'error'],
      [['explain', 'r', 'nobody'], 2, 'error'],
      [['bogus'], 2, 'error'],
    ]
    for (const [args, exit, key] of verbs) {
      const end = await folder.call(...args, '--json')
      const lines = end.out.trimEnd().split('\n')
      expect(end.rows, args.join(' ')).toHaveLength(lines.length)
      expect(Object.keys(end.rows.at(-1)!), args.join(' ')).toEqual([key])
      expect(end.exit, args.join(' ')).toBe(exit)
    }
  })

  it('ST10 verbs that read create nothing', async () => {
    await using folder = await cliFolder()
    expect(await folder.call('list')).toMatchObject({ exit: 0, out: 'There are no runs in .flotilla.\n' })
    const ends = await Promise.all([
      folder.call('status'),
      folder.call('resume'),
      folder.call('status', 'r'),
      folder.call('events', 'r', '--follow'),
      folder.call('cancel', 'r'),
      folder.call('logs', 'a'),
    ])
    expect(ends.map(({ exit }) => exit)).toEqual([0, 0, 2, 2, 2, 2])
    expect(await folder.entries()).toEqual([])
  })

  it('EV7 events go on after a cursor', async () => {
    await using folder = await cliFolder()
    await folder.file('t.json', [shellTask('a', 'true')])
    const { rows } = await folder.call('run', 't.json', '--json')
    const events = rows.slice(0, -1)
    const rest = await folder.call('events', '--json', '--after', events[2]!['cursor'] as string)
    expect(rest.rows.slice(0, -1)).toEqual(events.slice(3))
    expect(rest.rows.at(-1)).toMatchObject({ summary: { events: events.length - 3, cursor: events.at(-1)!['cursor'] } })
    expect((await folder.call('events', '--after', 'fev1_nope')).exit).toBe(2)
  })

  it('EV4 events --public shows the same events without what is only for the host', async () => {
    await using folder = await cliFolder()
    await folder.file('t.json', [shellTask('a', 'echo private-summary')])
    await folder.call('run', 't.json')
    const [full, open] = await Promise.all([folder.call('events', '--json'), folder.call('events', '--json', '--public')])
    expect(open.rows.slice(0, -1).map(({ cursor, event }) => [cursor, event])).toEqual(
      full.rows.slice(0, -1).map(({ cursor, event }) => [cursor, `fleet.${String(event)}`]),
    )
    expect(full.out).toContain('private-summary')
    expect(open.out).not.toContain('private-summary')
  })

  it('RU9 explain tells of an ended task which dependency took it along, and how it is enqueued again', async () => {
    await using folder = await cliFolder()
    await folder.file('t.json', [
      shellTask('a', 'exit 1', { retry_policy: { max_attempts: 1 } }),
      shellTask('b', 'true', { depends_on: ['a'] }),
    ])
    await folder.call('run', 't.json')
    const { out } = await folder.call('explain', 'b')
    expect(out).toContain('It has ended, because a did not complete.')
    expect(out).toMatch(/`flotilla restart \S+ b`/)
  })

  it('HO4 a reader that goes away ends it without a word', async () => {
    await using folder = await cliFolder()
    await folder.file('t.json', [
      shellTask('loud', 'i=0; while [ $i -lt 20000 ]; do echo line number $i of a long output; i=$((i+1)); done'),
    ])
    expect((await folder.flotilla('run', 't.json')).exit).toBe(0)
    const reader = folder.start('logs', 'loud')
    await reader.says('line number 0')
    reader.child.stdout!.destroy()
    const { err, exit } = await reader.ended
    expect(err).toBe('')
    expect(exit).toBe(0)
  })
})
