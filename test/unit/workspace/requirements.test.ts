import { symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { diskFiles } from '../../../src/host/files.ts'
import { FleetTaskSpec } from '../../../src/protocol/task.ts'
import { environmentProblems } from '../../../src/workspace/environment.ts'
import { createWorkspaces } from '../../../src/workspace/requirements.ts'
import { secretLikeName } from '../../../src/workspace/secret-like.ts'
import { scratch } from '../../fixtures/scratch.ts'

const variables: Readonly<Record<string, string>> = { CI: '1', REGION: 'eu', EMPTY: '', API_TOKEN: 'secret' }
const workspaces = createWorkspaces({ files: diskFiles(), environment: { get: (name) => variables[name] } })

function task(fields: Readonly<Record<string, unknown>>) {
  return FleetTaskSpec.parse({ id: 't1', name: 'A task', instructions: 'Do it.', ...fields })
}

describe('what a task needs', () => {
  it('WS2 is there: by name, by pattern, and by a name that looks like a pattern', async () => {
    await using folder = await scratch({ 'src/[id].ts': '', 'src/a.ts': '', '.env': '', 'data/x.csv': '' })
    const needs = task({
      workspace: { required_files: ['src/a.ts', 'src/[id].ts', '**/*.csv', 'src'] },
      input_files: ['.env', 'data/*.csv', './src/a.ts'],
    })

    expect(await workspaces.prepare(needs, folder.path)).toEqual({ root: folder.path, environment: {} })
  })

  it('WS2 what is missing is named, all of it at once', async () => {
    await using folder = await scratch({ 'sub/a.ts': '' })
    const needs = task({
      workspace: { root: 'sub', required_files: ['a.ts', 'b.ts', '*.md'], environment: { required: ['CI', 'NOT_SET'] } },
      input_files: ['c.txt'],
    })

    expect(await workspaces.prepare(needs, folder.path)).toEqual({
      problems: [
        `workspace.required_files: b.ts is not in ${folder.path}/sub.`,
        `workspace.required_files: *.md is not in ${folder.path}/sub.`,
        `input_files: c.txt is not in ${folder.path}/sub.`,
        'The environment variable NOT_SET is required, and not set.',
      ],
    })
  })

  it('WS1 files outside of the root do not count, however they are named', async () => {
    await using folder = await scratch({ 'root/in.txt': '', 'root-evil/out.txt': '' })
    await symlink('../root-evil', join(folder.path, 'root/link'))
    const root = join(folder.path, 'root')

    for (const path of [
      '../root-evil/out.txt',
      '../root-evil/*',
      join(folder.path, 'root-evil/out.txt'),
      'link/out.txt',
      'link/*',
      'link',
    ]) {
      expect(await workspaces.prepare(task({ input_files: [path] }), root), path).toEqual({
        problems: [expect.stringContaining(path)],
      })
    }
    expect(await workspaces.prepare(task({ input_files: ['in.txt'] }), root)).toHaveProperty('root', root)
  })

  it('WS1 a root that is refused is told with the other problems', async () => {
    await using folder = await scratch()

    expect(
      await workspaces.prepare(task({ workspace: { root: '/etc', environment: { required: ['NOT_SET'] } } }), folder.path),
    ).toEqual({
      problems: [expect.stringContaining('workspace.root "/etc" is outside'), expect.stringContaining('NOT_SET')],
    })
  })

  it('WS2 a file system that cannot be asked is a problem, and no crash', async () => {
    await using folder = await scratch()
    await symlink('loop', join(folder.path, 'loop'))

    expect(await workspaces.prepare(task({ input_files: ['loop/a'] }), folder.path)).toEqual({
      problems: [expect.stringContaining('ELOOP')],
    })
  })

  it('WS3 the values handed over are those allowed or required, as far as they are set, and no secret', async () => {
    await using folder = await scratch()
    const needs = task({
      workspace: { environment: { required: ['CI', 'API_TOKEN', 'EMPTY'], allowlist: ['REGION', 'NOT_SET'] } },
    })

    expect(await workspaces.prepare(needs, folder.path)).toEqual({
      root: folder.path,
      environment: { CI: '1', EMPTY: '', REGION: 'eu' },
    })
  })

  it('WS3 an allowlist that names a secret is refused, before anything else is known', async () => {
    await using folder = await scratch()
    const environment = { required: [], allowlist: ['REGION', 'API_TOKEN', 'dbPassword'] }

    expect(environmentProblems(environment)).toEqual([
      expect.stringContaining('API_TOKEN'),
      expect.stringContaining('dbPassword'),
    ])
    expect(environmentProblems({ required: ['API_TOKEN'], allowlist: ['REGION'] })).toEqual([])
    expect(environmentProblems(undefined)).toEqual([])
    expect(await workspaces.prepare(task({ workspace: { environment } }), folder.path)).toHaveProperty('problems.length', 2)
  })

  it.each([
    'API_KEY',
    'OPENAI_API_KEY',
    'GITHUB_TOKEN',
    'AWS_SECRET_ACCESS_KEY',
    'PGPASSWORD',
    'dbPassword',
    'SSH_AUTH_SOCK',
    'GITHUB_PAT',
    'apiKey',
    'NPM_TOKENS',
    'AWS_ACCESS_KEY_ID',
    'x-api-key',
    'COOKIE',
  ])('WS3 %s looks like a secret', (name) => {
    expect(secretLikeName(name)).toBe(true)
  })

  it.each([
    'PATH',
    'HOME',
    'KEYBOARD',
    'TOKENIZERS_PARALLELISM',
    'GIT_AUTHOR_NAME',
    'PWD',
    'MONKEY_PATCH',
    'COMPASS',
    'CI',
    'REGION',
    'NODE_OPTIONS',
  ])('WS3 %s does not look like a secret', (name) => {
    expect(secretLikeName(name)).toBe(false)
  })
})
