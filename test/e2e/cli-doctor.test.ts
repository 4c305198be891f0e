import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { inspectHost } from '../../src/index.ts'
import type { CliFolder } from '../support/cli.ts'
import { cliFolder, shellTask } from '../support/cli.ts'

const journal = '.flotilla/journal/00000001.0001.jsonl'

/** A store in which one run has completed; gives its id. */
async function completed(folder: CliFolder): Promise<string> {
  await folder.file('t.json', [shellTask('a', 'echo written')])
  expect((await folder.call('run', 't.json')).exit).toBe(0)
  return (await folder.call('list', '--json')).rows[0]!['run_id'] as string
}

async function spoil(folder: CliFolder, text: string): Promise<void> {
  const path = join(folder.path, journal)
  const lines = (await readFile(path, 'utf8')).split('\n')
  const at = lines.findLastIndex((line) => line.includes(text) && line.startsWith('{"run":"run-'))
  lines[at] = lines[at]!.replace('"prev":"', '"prev":"#')
  await writeFile(path, lines.join('\n'))
}

describe('VE7 flotilla verify', () => {
  it('VE7 tells that a history is whole, and its head, which can be asked for later', async () => {
    await using folder = await cliFolder()
    const run = await completed(folder)
    const { exit, out } = await folder.call('verify', run)
    expect(out).toMatch(new RegExp(`^✓ The history of ${run} is whole: \\d+ entries, 1 blob\\.\\n  head  [0-9a-f]{64}\\n$`))
    expect(exit).toBe(0)
    const { rows } = await folder.call('verify', run, '--json')
    const head = (rows.at(-1)!['summary'] as { head: string }).head
    expect(rows).toMatchObject([{ summary: { run_id: run, whole: true, blobs: 1, elsewhere: 0, findings: 0 } }])
    expect((await folder.call('verify', run, '--head', head)).exit).toBe(0)
    expect(await folder.call('verify', run, '--head', 'f'.repeat(64))).toMatchObject({
      exit: 1,
      out: expect.stringContaining('✗') as string,
    })
  })

  it('VE7 names file, line and byte of what is wrong, and ends with 1', async () => {
    await using folder = await cliFolder()
    const run = await completed(folder)
    await spoil(folder, '"receipt"')
    const { exit, out } = await folder.call('verify', run)
    expect(out).toMatch(/^✗ The history of run-\w+ is not whole; it can be followed up to entry \d+\./)
    expect(out).toMatch(
      /lost +journal: The chain breaks after entry \d+: .*\n +\.flotilla\/journal\/00000001\.0001\.jsonl, line \d+, byte \d+/,
    )
    expect(exit).toBe(1)
    const { rows } = await folder.call('verify', run, '--json')
    expect(rows).toMatchObject([
      { part: 'journal', weight: 'lost', run_id: run, line: expect.any(Number) as number, byte: expect.any(Number) as number },
      { summary: { run_id: run, whole: false, findings: 1 } },
    ])
  })

  it('VE7 refuses with 2 a run that is not there, and a head that is none', async () => {
    await using folder = await cliFolder()
    await completed(folder)
    expect((await folder.call('verify', 'nobody')).exit).toBe(2)
    expect((await folder.call('verify', 'nobody', '--head', 'abc')).exit).toBe(2)
    expect((await folder.call('verify')).exit).toBe(2)
  })
})

describe('ST4 flotilla doctor', () => {
  it('ST4 says that all is well, of a run as the fleet leaves it', async () => {
    await using folder = await cliFolder()
    await completed(folder)
    const { exit, out } = await folder.call('doctor')
    expect(out).toMatch(
      /^✓ \.flotilla: 0 open runs, 1 ended, 0 removed; [\d.]+ KiB of journal in 1 segment\.\nNo process works in this store\.\nThis machine (can confine commands: .*|cannot confine commands, .*)\nThis machine (can|can probably|cannot) run containers.*\n$/,
    )
    expect(exit).toBe(0)
    expect((await folder.call('doctor', '--json')).rows).toMatchObject([{ summary: { fine: true, segments: 1, findings: 0 } }])
  })

  it('SE2 flotilla doctor says whether commands can be confined here', async () => {
    await using folder = await cliFolder()
    await completed(folder)
    const { sandbox } = inspectHost()
    const { out } = await folder.call('doctor')
    expect(out).toContain(sandbox.possible ? 'This machine can confine commands' : `are refused: ${sandbox.because}.`)
    expect((await folder.call('doctor', '--json')).rows).toMatchObject([{ summary: { sandbox } }])
  })

  it('SE2 flotilla doctor says whether containers can be run here', async () => {
    await using folder = await cliFolder()
    await completed(folder)
    const { containers } = inspectHost()
    const { out } = await folder.call('doctor')
    const said = containers.possible ? `run containers, by ${containers.runtime}` : `are refused: ${containers.because}.`
    expect(out).toContain(containers.possible && !containers.tried ? 'no image here' : said)
    expect((await folder.call('doctor', '--json')).rows).toMatchObject([{ summary: { containers } }])
  })

  it('ST4 finds damage, changes nothing until it is told to, and then says what was lost', async () => {
    await using folder = await cliFolder()
    const run = await completed(folder)
    await spoil(folder, '"receipt"')
    const before = await readFile(join(folder.path, journal))
    const looked = await folder.call('doctor')
    expect(looked.out).toContain('`flotilla doctor --repair` mends what can be mended.')
    expect(looked.exit).toBe(1)
    expect(await readFile(join(folder.path, journal))).toEqual(before)
    expect(await folder.entries()).not.toContain('aside')
    const repaired = await folder.call('doctor', '--repair', '--json')
    expect(repaired.exit).toBe(1)
    expect(repaired.rows).toContainEqual({
      lost: expect.objectContaining({ run_id: run, after: expect.any(Number) as number }) as unknown,
    })
    expect(repaired.rows.at(-1)).toMatchObject({ summary: { lost: 1, fine: false } })
    expect(await readdir(join(folder.path, '.flotilla', 'aside'))).toHaveLength(1)
    expect((await folder.call('doctor')).exit).toBe(0)
    expect((await folder.call('resume')).exit).toBe(0)
    expect((await folder.call('status', run, '--json')).rows.at(-1)).toMatchObject({ summary: { status: 'completed' } })
  })

  it('ST4 with nothing to mend, a repair ends with 0', async () => {
    await using folder = await cliFolder()
    await completed(folder)
    const { exit, out } = await folder.call('doctor', '--repair')
    expect(out).toContain('The index was made again from the journal.')
    expect(exit).toBe(0)
  })

  it('ST4 ends with 2 where there is no store', async () => {
    await using folder = await cliFolder()
    expect(await folder.call('doctor')).toMatchObject({ exit: 2, err: expect.stringContaining('There is no store') as string })
    expect(await folder.entries()).toEqual([])
  })
})
