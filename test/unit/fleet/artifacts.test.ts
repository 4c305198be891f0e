import { createHash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { entriesOf, verdicts } from '../../support/looking.ts'
import { openBench, task } from '../../support/bench-fleet.ts'
import { memoryFiles } from '../../../src/testing/memory-files.ts'
import type { Files, FileFacts } from '../../../src/ports/files.ts'
import type { AttemptContext } from '../../../src/worker/attempt.ts'

const sha = (text: string) => `sha256:${createHash('sha256').update(text).digest('hex')}`
const mib = 1024 * 1024

/** Does this as the work of one task, in `/base`. */
async function worked(
  work: (attempt: AttemptContext) => unknown,
  more: Record<string, unknown> = {},
  files: Files = memoryFiles({ '/base/in.txt': 'input' }),
) {
  const bench = await openBench({ handlers: { work }, files, workspace: '/base' })
  const run = await bench.fleet.start({ id: 'r', name: 'r', tasks: [task('a', { handler: 'work', ...more })] })
  await run.result()
  return { ...bench, run, receipt: await run.receipt('a') }
}

/** What an artifact was refused for, as the handler sees it. */
const refusal = (attempt: AttemptContext, path: string): Promise<string> =>
  attempt.artifact({ kind: 'report', path }).then(
    () => 'taken',
    (error: { code: string; message: string }) => `${error.code}: ${error.message}`,
  )

describe('AR1', () => {
  test('AR1 bytes are kept by content, and the ledger holds references only', async () => {
    const { run, store } = await worked(async (attempt) => {
      await attempt.artifact({ kind: 'report', name: 'r.txt', content: 'a text that nobody finds in the ledger' })
    })
    const [{ task_id, attempt, artifact } = { task_id: '', attempt: 0, artifact: undefined }] = await run.artifacts('a')
    expect([task_id, attempt, artifact?.path, artifact?.size_bytes]).toEqual(['a', 1, 'r.txt', 38])
    expect(new TextDecoder().decode(await run.openArtifact(artifact!))).toBe('a text that nobody finds in the ledger')
    expect(store.lines(run.id).join('\n')).not.toContain('nobody finds')
  })

  test('AR1 they lie with their run, per task and attempt: equal bytes are kept once, each reference names its attempt (T6, T9)', async () => {
    let number = 0
    const { run } = await worked(
      async (attempt) => {
        await attempt.artifact({ kind: 'report', name: 'same.txt', content: 'same' })
        await attempt.artifact({ kind: 'report', name: 'own.txt', content: `attempt ${(number += 1)}` })
        if (attempt.number === 1) throw new Error('again')
        return null
      },
      { retry_policy: { max_attempts: 2, initial_backoff_seconds: 0 } },
    )
    const left = await run.artifacts('a')
    expect(left.map(({ attempt, artifact }) => `${attempt} ${artifact.path}`)).toEqual([
      '1 same.txt',
      '1 own.txt',
      '2 same.txt',
      '2 own.txt',
    ])
    expect(left[0]?.artifact.checksum).toBe(left[2]?.artifact.checksum)
    expect(left[1]?.artifact.checksum).not.toBe(left[3]?.artifact.checksum)
    expect((await run.receipts('a')).map((receipt) => receipt.artifacts.length)).toEqual([2, 2])
  })

  test('AR1 what an attempt reports once the next one has begun lies with the attempt that reported it', async () => {
    const { fleet, clock, transport } = await openBench({ slots: 2 })
    const run = await fleet.start({ name: 'r', tasks: [task('a')] })
    await clock.settle()
    const old = transport.attempt('a')
    old.accept()
    await clock.settle()
    await run.restart('a')
    await clock.settle()
    expect(transport.attempt('a').assign.attempt).toBe(2)
    old.send({ type: 'artifact', report: 1, kind: 'report', path: 'late.txt', bytes: new TextEncoder().encode('late') } as never)
    await clock.settle()
    transport.attempt('a').complete()
    await clock.settle()
    expect((await run.artifacts('a')).map(({ attempt, artifact }) => [attempt, artifact.path])).toEqual([[1, 'late.txt']])
    expect((await run.receipt('a'))?.artifacts).toEqual([])
  })

  test('AR1 a file of the attempt’s folder is kept; one of the workspace stays there, by reference', async () => {
    const files = memoryFiles({ '/base/in.txt': 'input', '/fleet/r/attempts/a/1/out.txt': 'output' })
    const { run, receipt, store } = await worked(
      async (attempt) => {
        await attempt.artifact({ kind: 'report', path: 'out.txt' })
        await attempt.artifact({ kind: 'report', path: 'in.txt' })
      },
      {},
      files,
    )
    expect(receipt?.artifacts.map((artifact) => [artifact.path, artifact.checksum])).toEqual([
      ['out.txt', sha('output')],
      ['in.txt', sha('input')],
    ])
    const [kept, stays] = receipt?.artifacts ?? []
    expect(new TextDecoder().decode(await run.openArtifact(kept!))).toBe('output')
    expect(await run.openArtifact(stays!)).toBeUndefined()
    expect(await store.blobs.open('r', sha('input').slice(7))).toBeUndefined()
  })
})

describe('AR2', () => {
  test('AR2 size and sha256 are computed by the fleet from the bytes', async () => {
    const { receipt } = await worked(async (attempt) => attempt.artifact({ kind: 'report', name: 'ä.txt', content: 'ä漢' }))
    expect(receipt?.artifacts).toEqual([{ kind: 'report', path: 'ä.txt', checksum: sha('ä漢'), size_bytes: 5 }])
  })

  test('AR2 what does not match a worker’s claim is refused, and the attempt goes on', async () => {
    const { fleet, clock, transport } = await openBench()
    const run = await fleet.start({ name: 'r', tasks: [task('a')] })
    await clock.settle()
    const held = transport.attempt('a')
    const report = { type: 'artifact', kind: 'report', bytes: new TextEncoder().encode('four') }
    held.send({ ...report, report: 1, path: 'size.txt', size_bytes: 5 } as never)
    held.send({ ...report, report: 2, path: 'sum.txt', checksum: sha('five') } as never)
    held.send({ ...report, report: 3, path: 'good.txt', checksum: sha('four'), size_bytes: 4 } as never)
    await clock.settle()
    held.complete()
    await clock.settle()
    expect((await run.receipt('a'))?.artifacts.map((artifact) => artifact.path)).toEqual(['good.txt'])
    expect(await verdicts(run)).toEqual(['a/1 partial'])
  })
})

describe('AR3', () => {
  const strange: Readonly<Record<string, FileFacts>> = {
    '/base/link.txt': { kind: 'link', size: 1, links: 1 },
    '/base/fifo.txt': { kind: 'other', size: 0, links: 1 },
    '/base/hard.txt': { kind: 'file', size: 1, links: 2 },
    '/base/away/x.txt': { kind: 'file', size: 1, links: 1 },
  }

  test.each([
    ['`..`', '../secret.txt', '`..`'],
    ['an absolute path', '/etc/passwd', 'absolute'],
    ['a symlink', 'link.txt', 'symbolic link'],
    ['a fifo, socket or device', 'fifo.txt', 'fifo'],
    ['a hardlink', 'hard.txt', 'hard link'],
    ['a file behind a link that leads out', 'away/x.txt', 'leads out'],
    ['a folder', 'sub', 'folder'],
    ['nothing', 'missing.txt', 'nothing is there'],
  ])('AR3 %s is refused, and the attempt goes on', async (_, path, why) => {
    const plain = memoryFiles({ '/base/in.txt': 'input', '/base/sub/x.txt': 'x' })
    const files: Files = {
      ...plain,
      facts: (asked) => Promise.resolve(strange[asked]).then((facts) => facts ?? plain.facts(asked)),
      real: (asked) =>
        asked === '/base/away/x.txt'
          ? Promise.resolve('/elsewhere/x.txt')
          : strange[asked] === undefined
            ? plain.real(asked)
            : Promise.resolve(asked),
    }
    let told = ''
    const { receipt } = await worked(
      async (attempt) => {
        told = await refusal(attempt, path)
        await attempt.artifact({ kind: 'report', path: 'in.txt' })
        return 'went on'
      },
      {},
      files,
    )
    expect(told).toMatch(/^artifact_refused: /)
    expect(told).toContain(why)
    expect(receipt).toMatchObject({ result: 'partial', output: 'went on', artifacts: [{ path: 'in.txt' }] })
  })
})

describe('AR4', () => {
  /** Files of the workspace that say that they are so large. */
  const sized = (size: number): Files => {
    const plain = memoryFiles({ '/base/in.txt': 'input' })
    return {
      ...plain,
      facts: (path) =>
        path.endsWith('.bin') && path.startsWith('/base') ? Promise.resolve({ kind: 'file', size, links: 1 }) : plain.facts(path),
      real: (path) => (path.endsWith('.bin') ? Promise.resolve(path) : plain.real(path)),
      read: () => Promise.resolve(new Uint8Array([1])),
    }
  }

  test('AR4 an artifact over 64 MiB is refused with the limit named', async () => {
    let told = ['', '']
    await worked(
      async (attempt) => {
        told = [await refusal(attempt, 'big.bin'), '']
      },
      {},
      sized(64 * mib + 1),
    )
    expect(told[0]).toContain(String(64 * mib))
    await worked(
      async (attempt) => {
        told = ['', await refusal(attempt, 'big.bin')]
      },
      {},
      sized(64 * mib),
    )
    expect(told[1]).toBe('taken')
  })

  test('AR4 all artifacts of an attempt together over 256 MiB are refused with the limit named; the next attempt begins anew', async () => {
    const told: string[][] = []
    await worked(
      async (attempt) => {
        const answers: string[] = []
        for (const name of ['1', '2', '3', '4', '5']) answers.push(await refusal(attempt, `${name}.bin`))
        told.push(answers)
        if (attempt.number === 1) throw new Error('again')
      },
      { retry_policy: { max_attempts: 2, initial_backoff_seconds: 0 } },
      sized(60 * mib),
    )
    for (const answers of told) {
      expect(answers.slice(0, 4)).toEqual(['taken', 'taken', 'taken', 'taken'])
      expect(answers[4]).toContain(String(256 * mib))
    }
    expect(told).toHaveLength(2)
  })

  test('AR4 more than 1,000 artifacts of an attempt are refused with the limit named', async () => {
    let told = ''
    const { receipt } = await worked(async (attempt) => {
      for (let index = 0; index < 1_000; index += 1)
        await attempt.artifact({ kind: 'report', name: `${index}.txt`, content: 'x' })
      told = await refusal(attempt, 'in.txt')
    })
    expect(told).toContain('1000 artifacts')
    expect(receipt?.artifacts).toHaveLength(1_000)
  })
})

describe('AR5', () => {
  test('AR5 ST5 a log that the disk does not take is missing, and the end of its attempt says so', async () => {
    const full = {
      put: () => Promise.reject(new Error('ENOSPC: no space left')),
      open: async () => undefined,
      remove: async () => {},
    }
    const note = 'The log of the attempt could not be kept: ENOSPC: no space left'
    const bench = await openBench({
      blobs: full,
      files: memoryFiles({ '/base/in.txt': '' }),
      workspace: '/base',
      handlers: {
        work: async (attempt) => {
          await attempt.log('words')
          if (attempt.task.id === 'b') throw new Error('broken')
        },
      },
    })
    const tasks = ['a', 'b'].map((id) => task(id, { handler: 'work', retry_policy: { max_attempts: 1 } }))
    const run = await bench.fleet.start({ id: 'r', name: 'r', tasks })
    await run.result()
    const [ended] = entriesOf(bench.store, 'r').filter((entry) => JSON.stringify(entry).includes(note) && entry.task === 'a')
    expect(ended).toBeDefined()
    expect((await run.receipt('b'))?.evidence).toContain(note)
    expect((await run.receipt('a'))?.artifacts).toEqual([])
  })

  test('AR5 an attempt that wrote output leaves a log artifact; one that wrote nothing leaves none', async () => {
    const { run, receipt } = await worked(async (attempt) => {
      await attempt.log('one')
      await attempt.log('two')
    })
    expect(receipt?.artifacts).toMatchObject([{ kind: 'log', checksum: sha('one\ntwo\n'), size_bytes: 8 }])
    expect(new TextDecoder().decode(await run.openArtifact(receipt!.artifacts[0]!))).toBe('one\ntwo\n')
    expect((await worked(() => null)).receipt?.artifacts).toEqual([])
  })

  test('AR5 a failed attempt leaves its log too, and each attempt its own (W27)', async () => {
    const { run } = await worked(
      async (attempt) => {
        await attempt.log(`attempt ${attempt.number}`)
        throw new Error('no')
      },
      { retry_policy: { max_attempts: 2, initial_backoff_seconds: 0 } },
    )
    const logs = await Promise.all((await run.receipts('a')).map((receipt) => run.openArtifact(receipt.artifacts[0]!)))
    expect(logs.map((bytes) => new TextDecoder().decode(bytes))).toEqual(['attempt 1\n', 'attempt 2\n'])
  })

  test('AR5 the log is bounded by cutting the middle', async () => {
    const { run, receipt } = await worked(async (attempt) => {
      await attempt.log('the first line')
      for (let index = 0; index < 30; index += 1) await attempt.log('x'.repeat(100_000))
      await attempt.log('the last line')
    })
    const [log] = receipt?.artifacts ?? []
    expect(log?.size_bytes).toBeLessThanOrEqual(mib + 1_000)
    const text = new TextDecoder().decode(await run.openArtifact(log!))
    expect(text.startsWith('the first line\n')).toBe(true)
    expect(text.endsWith('the last line\n')).toBe(true)
  })

  test('AR5 expected artifacts that are missing at the end make the receipt partial at best, naming them', async () => {
    const schema = { '~standard': { version: 1 as const, vendor: 'test', validate: (value: unknown) => ({ value }) } }
    const expected = { expected_artifacts: ['report', 'report', 'patch'] }
    const done = async (kinds: string[]) => {
      const run = async (attempt: AttemptContext) => {
        for (const [index, kind] of kinds.entries()) await attempt.artifact({ kind, name: `${index}.txt`, content: 'x' })
      }
      const bench = await openBench({ handlers: { work: { name: 'work', output: schema, run } } })
      const handle = await bench.fleet.start({ name: 'r', tasks: [task('a', { handler: 'work', ...expected })] })
      await handle.result()
      return handle.receipt('a')
    }
    expect(await done(['report', 'patch', 'report'])).toMatchObject({ result: 'pass', score: { value: 1 } })
    const one = await done(['report', 'patch'])
    expect(one).toMatchObject({ result: 'partial', evidence: expect.stringContaining('report') })
    expect(one?.evidence).not.toContain('patch')
    expect((await done([]))?.evidence).toContain('report, report, patch')
  })

  test('AR5 a log counts as an artifact that was expected', async () => {
    const { fleet, clock, transport } = await openBench()
    const run = await fleet.start({
      name: 'r',
      tasks: [task('a', { scorer: { kind: 'exit_code' }, expected_artifacts: ['log'] })],
    })
    await clock.settle()
    transport.attempt('a').send({ type: 'log', text: 'hello\n' } as never)
    transport.attempt('a').complete({ exit_code: 0 })
    await clock.settle()
    expect(await verdicts(run)).toEqual(['a/1 pass'])
  })

  test('AR5 artifacts that were there before a verdict count, too', async () => {
    const files = memoryFiles({ '/base/in.txt': 'input' })
    const { receipt, store } = await worked(
      async (attempt) => attempt.artifact({ kind: 'report', path: 'in.txt' }),
      {
        expected_artifacts: ['report'],
        scorer: { kind: 'file_exists', path: 'in.txt' },
      },
      files,
    )
    expect(receipt).toMatchObject({ result: 'pass', artifacts: [{ kind: 'report' }] })
    expect(entriesOf(store, 'r').flatMap((entry) => entry.set?.status ?? [])).toContain('verifying')
  })
})
