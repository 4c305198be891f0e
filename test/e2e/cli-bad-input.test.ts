import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it, vi } from 'vitest'
import { cliFolder, shellTask } from '../support/cli.ts'

// Each command is a process of its own, and the machine may be busy.
vi.setConfig({ testTimeout: 60_000 })

describe('flotilla run with bad input ends with 2, says everything once, and creates nothing', () => {
  const cases: readonly { title: string; file: string; content: unknown; says: readonly string[]; args?: readonly string[] }[] = [
    {
      title: 'WI6 a syntax error in JSON, with line and column',
      file: 'a.json',
      content: '{\n  "tasks": [\n    {,}\n  ]\n}',
      says: ['a.json:3:6: expected a name in double quotes, got ","'],
    },
    {
      title: 'WI6 a syntax error in TOML, with line and column',
      file: 'a.toml',
      content: 'name = "x"\n[[tasks]]\nid = oops\n',
      says: ['a.toml:3:'],
    },
    {
      title: 'WI6 wrong types deep inside, all of them',
      file: 'a.json',
      content: {
        tasks: [
          shellTask('a', 'true', { retry_policy: { max_attempts: -1 } }),
          shellTask('b', 'true', { timeout_seconds: 'soon' }),
        ],
      },
      says: [
        'a.json:',
        'tasks[0].retry_policy.max_attempts: expected an integer from 0 to 4294967295, got -1',
        'tasks[1].timeout_seconds: expected',
      ],
    },
    {
      title: 'SC5 a duplicate id, a cycle and an unknown dependency',
      file: 'a.json',
      content: [
        shellTask('a', 'true'),
        shellTask('a', 'true'),
        shellTask('b', 'true', { depends_on: ['c'] }),
        shellTask('c', 'true', { depends_on: ['b', 'nowhere'] }),
      ],
      says: ['[1].id', 'nowhere', 'cycle'],
    },
    {
      title: 'WS1 a path that leaves the workspace',
      file: 'a.json',
      content: [shellTask('a', 'true', { workspace: { root: '../../etc' } })],
      says: ['[0].workspace.root: expected a path that stays in the workspace, got "../../etc", which holds `..`'],
    },
    {
      title: 'WI6 mistakes of every kind at once',
      file: 'a.json',
      content: {
        tasks: [
          shellTask('a', 'true', { depends_on: ['b'], input_files: ['../x'] }),
          shellTask('a', 'true', { timeout_seconds: -1 }),
        ],
      },
      says: ['tasks[0].depends_on[0]', 'tasks[0].input_files[0]', 'tasks[1].id', 'tasks[1].timeout_seconds'],
    },
    {
      title: 'SC3 a capability that no worker has',
      file: 'a.json',
      content: [shellTask('a', 'true', { worker: { capabilities: ['gpu'] } })],
      says: ['a.json: Some tasks could never run', 'local lacks the capability gpu'],
    },
    {
      title: 'SC3 a handler that no module exports',
      file: 'a.json',
      content: [{ id: 'a', name: 'a', instructions: 'x', handler: 'greet' }],
      says: ['does not serve the handler greet'],
    },
    {
      title: 'SE4 a grant whose scope nothing can enforce',
      file: 'a.json',
      content: {
        security_policy: { capability_grants: [{ capability: 'network', scope: 'example.org' }] },
        tasks: [shellTask('a', 'true')],
      },
      says: ['security_policy.capability_grants[0].scope'],
    },
    {
      title: 'WI7 more than 64 levels',
      file: 'a.json',
      content: '['.repeat(100) + ']'.repeat(100),
      says: ['a.json: The document has more than 64 levels'],
    },
    {
      title: 'WI7 a key __proto__',
      file: 'a.json',
      content: '[{"id":"a","name":"a","instructions":"x","__proto__":{"x":1}}]',
      says: ['__proto__'],
    },
    {
      title: 'WI6 bytes that are no text',
      file: 'a.json',
      content: new Uint8Array([0x7b, 0xff, 0xfe]),
      says: ['expected UTF-8'],
    },
    { title: 'WI6 an empty file', file: 'a.json', content: '', says: ['a.json:1:1: expected a value, got the end of the file'] },
    {
      title: 'SC1 a number of workers that is none',
      file: 'a.json',
      content: [shellTask('a', 'true')],
      args: ['--max-workers', '0'],
      says: ['--max-workers: expected a whole number from 1, got 0'],
    },
    {
      title: 'WS1 a workspace that is not there',
      file: 'a.json',
      content: [shellTask('a', 'true')],
      args: ['--workspace', 'gone'],
      says: ['--workspace gone: there is no such folder'],
    },
    {
      title: 'SC3 a module that is not there',
      file: 'a.json',
      content: [shellTask('a', 'true')],
      args: ['--worker', 'gone.mjs'],
      says: ['--worker gone.mjs: there is no such file'],
    },
  ]
  it.each(cases)('$title', async ({ file, content, says, args = [] }) => {
    await using folder = await cliFolder()
    await folder.file(file, content)
    const { exit, out, err } = await folder.call('run', file, ...args)
    for (const text of says) expect(err).toContain(text)
    expect(err.match(/^flotilla: /gm)).toHaveLength(1)
    expect(out).toBe('')
    expect(exit).toBe(2)
    expect(await folder.entries()).toEqual([file])
  })

  it('WI7 70 MB', async () => {
    await using folder = await cliFolder()
    await writeFile(join(folder.path, 'big.json'), Buffer.alloc(70_000_000, ' '))
    const { exit, err } = await folder.call('run', 'big.json')
    expect(err).toContain('big.json: The document has')
    expect(err).toContain('the limit is 67108864 bytes')
    expect(exit).toBe(2)
    expect(await folder.entries()).toEqual(['big.json'])
  })

  it('WI6 no file, a folder, no argument, an unknown verb or option', async () => {
    await using folder = await cliFolder()
    const wrong: readonly (readonly [args: readonly string[], says: string])[] = [
      [['run', 'gone.json'], 'gone.json: there is no such file'],
      [['run', '.'], 'this is a folder. Name a file in it.'],
      [['run'], 'takes FILE; got nothing'],
      [['rum'], 'there is no verb rum (did you mean run?)'],
      [['list', '--flder', 'x'], 'there is no option --flder (did you mean --folder?)'],
      [['list', '--strict'], '`flotilla list` has no option --strict'],
      [['run', 'x', '--key', '--strict'], '--key needs a value: --key KEY'],
      [['settle', 'r', 't', 'maybe'], 'must be pass or fail, got maybe'],
    ]
    const ends = await Promise.all(wrong.map(async ([args]) => folder.call(...args)))
    for (const [index, { exit, err }] of ends.entries()) {
      expect(err).toContain(wrong[index]![1])
      expect(exit).toBe(2)
    }
    expect(await folder.entries()).toEqual([])
  })

  it('WI6 with --json tells the error as the last line too', async () => {
    await using folder = await cliFolder()
    await folder.file('a.json', [shellTask('a', 'true', { timeout_seconds: -1 })])
    const { exit, rows } = await folder.call('run', 'a.json', '--json')
    expect(rows).toHaveLength(1)
    expect(rows[0]).toMatchObject({
      error: { code: 'invalid_document', details: { path: 'a.json', problems: [{ path: '[0].timeout_seconds' }] } },
    })
    expect(exit).toBe(2)
  })
})
