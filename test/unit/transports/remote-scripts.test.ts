import { spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { systemClock } from '../../../src/host/clock.ts'
import { converseWithRemote, type RemoteProgram } from '../../../src/transports/ssh/remote-program.ts'
import { anchorScript, commandScript, sweepScript, workerScript } from '../../../src/transports/ssh/remote-scripts.ts'
import { remoteLine, remoteShell, type RemoteInput } from '../../../src/transports/ssh/remote-shell.ts'
import { isRunning, numberAfter, until } from '../../fixtures/processes.ts'
import { scratch } from '../../fixtures/scratch.ts'

const scripts = { anchorScript, commandScript, sweepScript, workerScript }
const mark = 'flotilla-test'
const owner = 'f'.repeat(32)

let folder: Awaited<ReturnType<typeof scratch>>
beforeEach(async () => (folder = await scratch()))
afterEach(() => folder.remove())

/** The folder that the scripts keep everything of theirs in. */
const kept = () => join(folder.path, `flotilla-${process.getuid?.() ?? 0}`)

/** The other side: a login shell that is called `sh`, whichever it is. */
function otherSide(shell: string) {
  const bin = join(folder.path, shell)
  mkdirSync(bin, { recursive: true })
  if (!existsSync(join(bin, 'sh'))) symlinkSync(spawnSync('which', [shell], { encoding: 'utf8' }).stdout.trim(), join(bin, 'sh'))
  const env = { PATH: `${bin}:${process.env['PATH']}`, TMPDIR: folder.path, INHERITED: 'yes' }
  return spawn(join(bin, 'sh'), ['-c', remoteLine], { env, detached: true, stdio: 'pipe' })
}

interface Talk extends RemoteProgram {
  readonly written: () => string
  readonly child: ReturnType<typeof spawn>
}

/** Runs a script under a shell of this machine, in place of the other side of ssh. */
function talk(
  shell: string,
  script: string,
  input: Partial<RemoteInput> & { readonly pieces?: readonly Uint8Array[] } = {},
): Talk {
  const child = otherSide(shell)
  const { pieces = [Buffer.from('{}')], variables, ...rest } = input
  const program = `${owner}-i1-n1`
  const defaults = {
    mark, owner, incarnation: 'i1', name: 'n1', program, fresh: 1, dir: '', sub: '', staged: 0, given: 2, input: 'input.json',
    silence: 30, grace: 1, drain: 1, evidence: '', most: 1_000, keep: '',
  } // prettier-ignore
  const text = remoteShell(script, {
    command: ['true'],
    environment: { FLOTILLA_MARK: program },
    ...rest,
    variables: { ...defaults, ...variables },
  })
  let written = ''
  const remote = converseWithRemote({
    child,
    clock: systemClock(),
    mark,
    input: [text, ...pieces],
    isLast: ([word]) => word === 'ended' || word === 'refused' || word === 'ready' || word === 'swept',
    stdout: (bytes) => (written += Buffer.from(bytes).toString()),
    stderr: (bytes) => (written += Buffer.from(bytes).toString()),
    startLimitMs: 30_000,
    endLimitMs: 5_000,
  })
  return { ...remote, child, written: () => written }
}

const sh = (line: string): Partial<RemoteInput> => ({ command: ['sh', '-c', line] })

test.each(Object.entries(scripts))('HO5 %s is what every POSIX shell reads', (_, script) => {
  for (const shell of ['dash', 'bash']) {
    expect(spawnSync(shell, ['-n'], { input: script, encoding: 'utf8' })).toMatchObject({ status: 0, stderr: '' })
  }
  // It would be told of what is no script.
  expect(spawnSync('dash', ['-n'], { input: `${script}\nif`, encoding: 'utf8' }).status).not.toBe(0)
})

describe.each(['dash', 'bash'])('a command under %s', (shell) => {
  test('HO3 runs, tells how it ended, and leaves nothing', async () => {
    const run = talk(shell, commandScript, sh('echo out; echo err >&2; exit 7'))

    expect(await run.begun).toEqual(['started'])
    expect(await run.ended).toEqual({ kind: 'said', words: ['ended', '7', 'none', 'whole'] })
    expect(run.written().split('\n').sort()).toEqual(['', 'err', 'out'])
    expect(readdirSync(kept())).toEqual([])
  })

  test('HO4 everything that it writes is its output, however soon it comes', async () => {
    const runs = Array.from({ length: 30 }, (_, at) => {
      // Marks are of one length, as those of a fleet are: one that began another would have the other's program swept away with its own.
      const name = `n${String(at).padStart(2, '0')}`
      const program = `${owner}-i1-${name}`
      const own = { environment: { FLOTILLA_MARK: program }, variables: { name, program } }
      return talk(shell, commandScript, { ...sh('echo out; echo err >&2'), ...own })
    })
    for (const run of runs) {
      expect(await run.ended).toMatchObject({ words: ['ended', '0', 'none', 'whole'] })
      expect(run.written().split('\n').sort()).toEqual(['', 'err', 'out'])
    }
  })

  test('WS3 has the essentials, its own variables and nothing else', async () => {
    const run = talk(shell, commandScript, { ...sh('env'), environment: { A: "it's\n$(b)", FLOTILLA_MARK: `${owner}-i1-n1` } })
    await run.ended

    const names = [...run.written().matchAll(/^([A-Za-z_]+)=/gm)].map(([, name]) => name)
    expect(new Set(names)).toEqual(
      new Set([
        ...['PATH', 'TMPDIR', 'A', 'FLOTILLA_MARK', 'FLOTILLA_FOLDER', 'FLOTILLA_ARTIFACTS', 'FLOTILLA_INPUT', 'PWD'],
        ...names.filter((name) => name === '_' || name === 'SHLVL'),
      ]),
    )
    expect(run.written()).toContain("A=it's\n$(b)\n")
    expect(run.written()).not.toContain('INHERITED')
  })

  test('HO3 is asked to end by TERM, and may end by itself', async () => {
    const run = talk(shell, commandScript, sh('trap "echo heeded; exit 0" TERM; echo ready; while :; do sleep 0.05; done'))
    await until(() => run.written().includes('ready'))

    run.terminate(60_000)

    expect(await run.ended).toEqual({ kind: 'said', words: ['ended', '0', 'none', 'whole'] })
    expect(run.written()).toContain('heeded')
  })

  test('HO3 that ignores TERM is killed after the grace, with what it started', async () => {
    const run = talk(shell, commandScript, sh('trap "" TERM; sleep 1000 & echo child $!; echo ready; sleep 1000; sleep 1000'))
    await until(() => run.written().includes('ready'))
    const child = numberAfter('child', run.written())
    expect(isRunning(child)).toBe(true)

    run.terminate(100)

    expect(await run.ended).toEqual({ kind: 'said', words: ['ended', '137', 'none', 'whole'] })
    expect(isRunning(child)).toBe(false)
  })

  test('HO3 takes along what it left in its group, and what left its group', async () => {
    const run = talk(
      shell,
      commandScript,
      sh('sleep 1000 & echo inner $!; setsid sleep 1000 </dev/null >/dev/null 2>&1 & echo outer $!; sleep 0.1'),
    )

    expect(await run.ended).toMatchObject({ kind: 'said', words: ['ended', '0', 'none', 'whole'] })

    for (const word of ['inner', 'outer']) expect(isRunning(numberAfter(word, run.written()))).toBe(false)
  })

  test('HO5 ends with its standard input: TERM, the grace, KILL', async () => {
    const run = talk(shell, commandScript, sh('trap "" TERM; echo pid $$; sleep 1000; sleep 1000'))
    await until(() => run.written().includes('pid'))
    const pid = numberAfter('pid', run.written())

    run.child.stdin!.end()

    await run.ended
    expect(isRunning(pid)).toBe(false)
    expect(readdirSync(kept())).toEqual([])
  })

  test('HO7 ends when nothing is heard of its fleet, though the line is open', async () => {
    const run = talk(shell, commandScript, { ...sh('echo pid $$; sleep 1000'), variables: { silence: 1 } })
    await until(() => run.written().includes('pid'))

    expect(await run.ended).toEqual({ kind: 'said', words: ['ended', '143', 'none', 'whole'] })
    expect(isRunning(numberAfter('pid', run.written()))).toBe(false)
  })

  test.each([
    ['no_program', { command: ['no-such-program'] }],
    ['no_directory', { variables: { dir: '/no/such/folder' } }],
    ['no_root', { variables: { dir: '/', sub: 'no-such-folder' } }],
    ['root_outside', { variables: { dir: '/usr/lib', sub: '../../etc' } }],
    ['folder_gone', { variables: { fresh: '' } }],
  ] as const)('WS1 is refused with %s, and nothing of it stays', async (code, input) => {
    const run = talk(shell, commandScript, input as Partial<RemoteInput>)
    expect(await run.ended).toEqual({ kind: 'said', words: ['refused', code] })
    expect(readdirSync(kept())).toEqual([])
  })

  test('WO1 an input that ends too early starts nothing', async () => {
    const run = talk(shell, commandScript, { ...sh('echo started > marker'), variables: { given: 100, dir: folder.path } })
    await new Promise((resolve) => run.child.stdin!.write('', resolve))
    run.child.stdin!.end()
    expect(await run.ended).toEqual({ kind: 'said', words: ['refused', 'not_received'] })
    expect(existsSync(join(folder.path, 'marker'))).toBe(false)
  })

  test('VE3 its folder stays when something will look at it, and goes with that', async () => {
    const first = talk(shell, commandScript, { ...sh('echo kept > file; mkdir -p sub'), variables: { keep: 1, sub: 'deep' } })
    expect(await first.ended).toMatchObject({ words: ['ended', '0', 'none', 'whole'] })

    const second = talk(shell, commandScript, {
      ...sh('pwd; cat file "$FLOTILLA_INPUT"'),
      variables: { fresh: '', input: 'scorer-input.json' },
    })
    expect(await second.ended).toMatchObject({ words: ['ended', '0', 'none', 'whole'] })

    expect(second.written()).toMatch(/n1\/root\/deep\nkept\n\{\}$/)
    expect(readdirSync(kept())).toEqual([])
  })

  test.each([
    ['file', 'echo here > found.txt'],
    ['missing', ':'],
    ['no_file', 'mkdir found.txt'],
    ['refused', 'ln -s /etc/passwd found.txt'],
    ['missing', 'ln -s nowhere found.txt'],
    ['file', 'echo here > other; ln -s other found.txt'],
  ])('VE2 the file that a scorer reads is %s after: %s', async (found, line) => {
    const run = talk(shell, commandScript, { ...sh(line), variables: { evidence: 'found.txt' } })
    expect(await run.ended).toEqual({ kind: 'said', words: ['ended', '0', found, 'whole'] })
  })
})

describe.each(['dash', 'bash'])('a worker program under %s', (shell) => {
  const start = (line: string, more: Partial<RemoteInput> = {}) => {
    const child = otherSide(shell)
    const program = `${owner}-i2-n2`
    const variables = { mark, owner, incarnation: 'i2', name: 'n2', program, grace: 1, drain: 1, dir: '', ...more.variables }
    child.stdin.write(
      remoteShell(workerScript, { command: ['sh', '-c', line], environment: { FLOTILLA_MARK: program }, ...more, variables }),
    )
    let written = ''
    child.stdout.on('data', (bytes: Buffer) => (written += bytes.toString()))
    child.stderr.on('data', (bytes: Buffer) => (written += bytes.toString()))
    const ended = new Promise<number | null>((resolve) => child.once('close', (code) => resolve(code)))
    return { child, ended, written: () => written }
  }

  test('HO4 has the line as its standard input and output, and ends with its own code', async () => {
    const worker = start('while read -r line; do echo "got $line"; [ "$line" = last ] && exit 5; done')
    worker.child.stdin.write('one\nlast\n')
    expect(await worker.ended).toBe(5)
    expect(worker.written()).toBe(`${mark} started\ngot one\ngot last\n`)
    expect(readdirSync(kept())).toEqual([])
  })

  test('HO5 hears the end of its standard input', async () => {
    const worker = start('cat; echo over')
    worker.child.stdin.end('text\n')
    expect(await worker.ended).toBe(0)
    expect(worker.written()).toBe(`${mark} started\ntext\nover\n`)
  })

  test('HO5 that outlives its input is ended, with all that it started', async () => {
    const worker = start('trap "" TERM; setsid sleep 1000 & echo outer $!; echo pid $$; sleep 1000; sleep 1000')
    await until(() => worker.written().includes('pid'))

    worker.child.stdin.end()

    expect(await worker.ended).toBe(137)
    for (const word of ['outer', 'pid']) expect(isRunning(numberAfter(word, worker.written()))).toBe(false)
    expect(readdirSync(kept())).toEqual([])
  })

  test('HO4 that says nothing any more, since it has closed its output, is ended', async () => {
    const worker = start('echo pid $$; exec >&- 2>&-; sleep 1000')
    expect(await worker.ended).toBe(143)
    expect(isRunning(numberAfter('pid', worker.written()))).toBe(false)
  })

  test('WO2 that does not exist is told by name of what is missing', async () => {
    const worker = start('', { command: ['no-such-program'] })
    expect(await worker.ended).toBe(127)
    expect(worker.written()).toContain('there is no such worker program')
    expect(readdirSync(kept())).toEqual([])
  })
})

describe('what an earlier incarnation left', () => {
  const carrier = (incarnation: string, of = owner) =>
    spawn('sleep', ['1000'], { env: { FLOTILLA_MARK: `${of}-${incarnation}-n` }, stdio: 'ignore', detached: true })

  test('LE6 is ended when its worker comes up again; its own and those of others are not', async () => {
    const [old, own, others] = [carrier('i0'), carrier('i1'), carrier('i0', 'e'.repeat(32))]
    try {
      const anchor = talk('dash', anchorScript)

      expect(await anchor.begun).toEqual(['ready'])
      await until(() => !isRunning(old.pid!))
      expect([isRunning(own.pid!), isRunning(others.pid!)]).toEqual([true, true])

      anchor.child.stdin!.end()
      expect(await anchor.ended).toMatchObject({ kind: 'said' })
    } finally {
      for (const child of [old, own, others]) child.kill('SIGKILL')
    }
  })

  test('WO3 of one program is swept by its mark', async () => {
    const [mine, other] = [carrier('i1'), carrier('i2')]
    try {
      const sweep = talk('dash', sweepScript, { variables: { program: `${owner}-i1-n` } })
      expect(await sweep.ended).toEqual({ kind: 'said', words: ['swept'] })
      expect([isRunning(mine.pid!), isRunning(other.pid!)]).toEqual([false, true])
    } finally {
      for (const child of [mine, other]) child.kill('SIGKILL')
    }
  })

  test('SE7 a folder that somebody else has made is not used', async () => {
    spawnSync('ln', ['-s', '/tmp', kept()])
    const anchor = talk('dash', anchorScript)
    expect(await anchor.ended).toEqual({ kind: 'said', words: ['refused', 'no_home'] })
  })
})
