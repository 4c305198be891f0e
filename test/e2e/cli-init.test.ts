import { readFile } from 'node:fs/promises'
import { parse } from 'smol-toml'
import { describe, expect, it, vi } from 'vitest'
import { firstTaskFile } from '../../src/cli/first-task-file.ts'
import { parseTaskDocument } from '../../src/protocol/index.ts'
import { cliFolder } from '../support/cli.ts'

vi.setConfig({ testTimeout: 60_000 })

/** A field behind one `#`. */
const example = /^# (?=[a-z_.]+ = )/gm

describe('flotilla init', () => {
  it('WI1 writes a task file that runs as it is, and ends with 0', async () => {
    await using folder = await cliFolder()
    const wrote = await folder.flotilla('init')
    expect([wrote.exit, wrote.out]).toEqual([0, 'tasks.toml was written. Run it with `flotilla run tasks.toml`.\n'])
    const { exit, out, err } = await folder.flotilla('run', 'tasks.toml', '--strict')
    expect([exit, err]).toEqual([0, ''])
    expect(out).toMatch(/2 of 2 completed/)
    const { out: log } = await folder.flotilla('logs', 'confirm')
    expect(log).toMatch(/the report has \d+ bytes/)
  })

  it('WI1 every field in its comments fits the contract, alone and all together', () => {
    const count = firstTaskFile.match(example)?.length ?? 0
    expect(count).toBeGreaterThan(10)
    for (let one = 0; one < count; one += 1) {
      let seen = -1
      const text = firstTaskFile.replace(example, (mark) => ((seen += 1) === one ? '' : mark))
      expect(() => parseTaskDocument(parse(text), { stem: 'tasks' })).not.toThrow()
    }
    const all = parseTaskDocument(parse(firstTaskFile.replaceAll(example, '')), { stem: 'tasks' })
    expect(all.tasks[0]).toMatchObject({ budget: { max_tool_calls: 100 }, workspace: { writable_paths: ['reports'] } })
    // What is prose stays prose.
    expect(firstTaskFile.replaceAll(example, '').match(/^# /gm)).toBeNull()
  })

  it('WI6 overwrites nothing, and writes only what it can read again', async () => {
    await using folder = await cliFolder()
    const path = await folder.file('tasks.toml', 'mine')
    const { exit, err } = await folder.call('init', path)
    expect([exit, err]).toEqual([2, expect.stringContaining('tasks.toml is there already, and was left as it is.')])
    expect(await readFile(path, 'utf8')).toBe('mine')
    expect((await folder.call('init', `${folder.path}/tasks.json`)).exit).toBe(2)
    expect(folder.has('tasks.json')).toBe(false)
  })
})

describe('flotilla schema', () => {
  it('WI8 prints the JSON Schema of a type, and the names of all', async () => {
    await using folder = await cliFolder()
    const { exit, out } = await folder.call('schema', 'FleetTaskBudget')
    expect(exit).toBe(0)
    expect(JSON.parse(out)).toMatchObject({ title: 'FleetTaskBudget', properties: { max_tokens: {} } })
    const all = await folder.call('schema')
    expect(all.out.split('\n')).toEqual(expect.arrayContaining(['FleetRunSpec', 'FleetTaskSpec', 'FleetReceipt']))
    const rows = (await folder.call('schema', 'FleetScore', '--json')).rows
    expect(rows).toEqual([{ summary: { type: 'FleetScore', schema: expect.objectContaining({ title: 'FleetScore' }) } }])
  })

  it('WI8 a name that is no type is refused with those that are', async () => {
    await using folder = await cliFolder()
    const { exit, err } = await folder.call('schema', 'FleetNothing')
    expect([exit, err]).toEqual([2, expect.stringContaining('FleetTaskSpec')])
  })
})
