import { execFileSync } from 'node:child_process'
import { link, mkdir, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { diskFiles } from '../../../src/host/files.ts'
import { FleetError } from '../../../src/protocol/errors.ts'
import type { FleetScorerSpec } from '../../../src/protocol/task.ts'
import type { Files } from '../../../src/ports/files.ts'
import type { ScorerInput, Verdict } from '../../../src/ports/scorer.ts'
import { scoredAttempt, scorersOf } from '../../support/scored-attempt.ts'
import { scratch } from '../../fixtures/scratch.ts'

const scorers = scorersOf({ files: diskFiles() })

/** What the fleet does: picks the scorer of the kind and asks it. */
async function judge(
  scorer: FleetScorerSpec,
  input: { readonly root?: string; readonly exitCode?: number } = {},
): Promise<Verdict> {
  const chosen = scorers[scorer.kind]
  const score = chosen.score as (input: ScorerInput, options: { readonly signal: AbortSignal }) => Verdict | Promise<Verdict>
  return score({ scorer, root: '/nowhere', ...input }, { signal: new AbortController().signal })
}

const passes = { result: 'pass', score: { value: 1, max: 1 } }
const failsAs = (failureKind: 'task' | 'verifier' | 'transport') => ({ result: 'fail', failureKind, score: { value: 0, max: 1 } })

describe('scorers', () => {
  it('VE2 exit_code passes on 0, fails the task on another, and the transport on none', async () => {
    expect(await judge({ kind: 'exit_code' }, { exitCode: 0 })).toMatchObject(passes)
    expect(await judge({ kind: 'exit_code' }, { exitCode: 7 })).toMatchObject({ ...failsAs('task'), evidence: 'Exit code 7.' })
    expect(await judge({ kind: 'exit_code' })).toMatchObject(failsAs('transport'))
  })

  it('VE5 manual is partial with half a score', async () => {
    const verdict = await judge({ kind: 'manual' })

    expect(verdict).toMatchObject({ result: 'partial', score: { value: 0.5, max: 1 } })
    expect(verdict).not.toHaveProperty('failureKind')
  })

  it('VE1 a scorer that needs nothing of the outside world is decided at once, the others are effects', () => {
    const effects = Object.fromEntries(Object.entries(scorers).map(([kind, scorer]) => [kind, scorer.effect]))

    expect(effects).toEqual({
      ...{ exit_code: false, manual: false, code_whale_verifier_prompt: false },
      ...{ file_exists: true, regex_match: true, json_path: true, command: true },
    })
    expect(scorersOf({ files: diskFiles(), verifier: () => ({ value: 1 }) }).code_whale_verifier_prompt.effect).toBe(true)
  })

  it('VE4 the evidence stands in the notes of the score', async () => {
    const verdict = await judge({ kind: 'exit_code' }, { exitCode: 3 })

    expect(verdict.score.notes).toBe(verdict.evidence)
  })

  it('VE2 file_exists passes on a regular file, and fails the task on nothing, a folder or a fifo', async () => {
    await using folder = await scratch({ 'out/report.md': '' })
    execFileSync('mkfifo', [join(folder.path, 'pipe')])
    const exists = (path: string) => judge({ kind: 'file_exists', path }, { root: folder.path })

    expect(await exists('out/report.md')).toMatchObject(passes)
    expect(await exists('./out//report.md')).toMatchObject(passes)
    for (const path of ['out/missing.md', 'out', 'pipe', 'out/report.md/below']) {
      expect(await exists(path), path).toMatchObject(failsAs('task'))
    }
  })

  it.each(['file_exists', 'regex_match', 'json_path'] as const)('VE2 the path of %s does not leave the root', async (kind) => {
    await using folder = await scratch({ 'root/here.json': '{"a":1}', 'root-evil/there.json': '{"a":1}' })
    const root = join(folder.path, 'root')
    await symlink('here.json', join(root, 'inner-link'))
    await symlink('../root-evil/there.json', join(root, 'outer-link'))
    await symlink('../root-evil', join(root, 'outer-folder'))
    await link(join(root, 'here.json'), join(root, 'hard'))
    const scored = (path: string) => judge({ kind, path, pattern: 'a', expression: '$.a' }, { root })

    for (const path of ['here.json', 'inner-link', 'hard']) expect(await scored(path), path).toMatchObject(passes)
    const outside = [
      '../root-evil/there.json',
      join(folder.path, 'root-evil/there.json'),
      join(root, 'here.json'),
      'outer-link',
      'outer-folder/there.json',
    ]
    for (const path of outside) expect(await scored(path), path).toMatchObject(failsAs('verifier'))
  })

  it('VE2 regex_match finds a pattern anywhere in the text', async () => {
    await using folder = await scratch({ 'log.txt': 'first\nPASS: 12 tests \u00fc\n' })
    const matches = (pattern: string) => judge({ kind: 'regex_match', path: 'log.txt', pattern }, { root: folder.path })

    for (const pattern of ['PASS: \\d+', '(?m)^PASS', '\u00fc', '(?i)pass', ''])
      expect(await matches(pattern), pattern).toMatchObject(passes)
    for (const pattern of ['^PASS', 'FAIL']) expect(await matches(pattern), pattern).toMatchObject(failsAs('task'))
  })

  it('VE2 a pattern that cannot be used is a failure of the verifier, and wins over a missing file', async () => {
    await using folder = await scratch()
    const matches = (pattern: string) => judge({ kind: 'regex_match', path: 'missing.txt', pattern }, { root: folder.path })

    for (const pattern of ['(', '(?=a)', '(a)\\1', 'a{100000}'])
      expect(await matches(pattern), pattern).toMatchObject(failsAs('verifier'))
    expect(await matches('a')).toMatchObject(failsAs('task'))
  })

  it('VE2 evidence that is too large or no UTF-8 cannot be checked', async () => {
    await using folder = await scratch({
      'large.txt': 'a'.repeat(1_000_001),
      'fits.txt': 'a'.repeat(1_000_000),
      'binary.txt': new Uint8Array([0x61, 0xff, 0x61]),
    })
    const matches = (path: string) => judge({ kind: 'regex_match', path, pattern: 'a' }, { root: folder.path })

    expect(await matches('fits.txt')).toMatchObject(passes)
    expect(await matches('large.txt')).toMatchObject({
      ...failsAs('verifier'),
      evidence: 'large.txt is larger than 1000000 bytes.',
    })
    expect(await matches('binary.txt')).toMatchObject({ ...failsAs('verifier'), evidence: 'binary.txt is no UTF-8 text.' })
  })

  it('VE2 evidence that may not be read cannot be checked', async () => {
    await using folder = await scratch({ 'a.txt': 'a' })
    const closed: Files = { ...diskFiles(), read: () => Promise.reject(new FleetError('unreadable_file', 'permission denied')) }
    const scorer = scorersOf({ files: closed }).regex_match
    if (scorer?.effect !== true) throw new Error('regex_match is an effect.')

    const verdict = await scorer.score(
      { scorer: { kind: 'regex_match', path: 'a.txt', pattern: 'a' }, root: folder.path, attempt: scoredAttempt() },
      { signal: new AbortController().signal },
    )

    expect(verdict).toMatchObject({ ...failsAs('verifier'), evidence: 'a.txt cannot be read: permission denied' })
  })

  it('VE2 evidence whose path is a loop of links cannot be checked', async () => {
    await using folder = await scratch()
    await symlink('loop', join(folder.path, 'loop'))

    expect(await judge({ kind: 'file_exists', path: 'loop' }, { root: folder.path })).toMatchObject(failsAs('verifier'))
  })

  it('VE2 a pattern that is made to take for ever takes linear time', async () => {
    await using folder = await scratch({
      'a.txt': `${'a'.repeat(50_000)}!`,
      'a.json': JSON.stringify([`${'a'.repeat(50_000)}!`]),
    })
    const before = performance.now()

    expect(await judge({ kind: 'regex_match', path: 'a.txt', pattern: '^(a+)+$' }, { root: folder.path })).toMatchObject(
      failsAs('task'),
    )
    for (const name of ['match', 'search']) {
      const expression = `$[?${name}(@, '^(a+)+$')]`
      expect(await judge({ kind: 'json_path', path: 'a.json', expression }, { root: folder.path })).toMatchObject(failsAs('task'))
    }
    expect(performance.now() - before).toBeLessThan(5_000)
  })

  it('VE2 json_path passes when a result exists that is neither null nor false', async () => {
    const document = { ok: true, no: false, nil: null, zero: 0, empty: '', list: [], items: [{ n: 1 }, { n: 2, name: 'abc' }] }
    await using folder = await scratch({ 'r.json': JSON.stringify(document) })
    const finds = (expression: string) => judge({ kind: 'json_path', path: 'r.json', expression }, { root: folder.path })

    const good = [
      '$.ok',
      '.ok',
      '$.zero',
      '$.empty',
      '$.list',
      '$.items[1].n',
      '$.items[?@.n > 1]',
      '$..n',
      '$',
      "$.items[?match(@.name, 'a.c')]",
      "$.items[?search(@.name, 'b')]",
    ]
    for (const expression of good) expect(await finds(expression), expression).toMatchObject(passes)
    const bad = ['$.no', '$.nil', '$.missing', '$.items[?@.n > 2]', "$.items[?match(@.name, 'b')]", "$.items[?search(@.n, 'b')]"]
    for (const expression of bad) expect(await finds(expression), expression).toMatchObject(failsAs('task'))
  })

  it('VE2 an expression that cannot be used is a failure of the verifier, and wins over a missing file', async () => {
    await using folder = await scratch({ 'r.json': '[{"name":"abc"}]' })
    const finds = (expression: string, path: string) => judge({ kind: 'json_path', path, expression }, { root: folder.path })

    for (const expression of ['ok', '$[', '$.a[?unknown(@)]', '']) {
      expect(await finds(expression, 'missing.json'), expression).toMatchObject(failsAs('verifier'))
    }
    expect(await finds('$.ok', 'missing.json')).toMatchObject(failsAs('task'))
    expect(await finds("$[?match(@.name, '(?=a)')]", 'r.json')).toMatchObject(failsAs('verifier'))
  })

  it('VE2 a file that is no JSON fails the task; one that is nested too deep cannot be checked', async () => {
    await using folder = await scratch({
      'bad.json': '{',
      'deep.json': `${'['.repeat(100_000)}${']'.repeat(100_000)}`,
      'fine.json': '[[[[1]]]]',
    })
    const finds = (path: string) => judge({ kind: 'json_path', path, expression: '$..[?@ == 1]' }, { root: folder.path })

    expect(await finds('bad.json')).toMatchObject(failsAs('task'))
    expect(await finds('deep.json')).toMatchObject(failsAs('verifier'))
    expect(await finds('fine.json')).toMatchObject(passes)
  })

  it('VE6 evidence is given whole, and the notes of the score are short', async () => {
    await using folder = await scratch()
    await mkdir(join(folder.path, 'x'))
    const verdict = await judge(
      { kind: 'regex_match', path: 'missing', pattern: `(${'\u00fc'.repeat(5_000)}` },
      { root: folder.path },
    )

    expect(verdict).toMatchObject(failsAs('verifier'))
    expect(new TextEncoder().encode(verdict.evidence).length).toBeGreaterThan(10_000)
    expect(verdict.score.notes?.length).toBe(1_000)
  })
})
