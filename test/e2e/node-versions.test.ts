import { execFile } from 'node:child_process'
import { copyFile, mkdtemp, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { build } from 'esbuild'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { promisedLines } from '../examples/expected-output.ts'
import { storyOf } from '../fixtures/seeded-story.ts'
import { installedNodes } from '../node-versions/installed-nodes.ts'
import type { InstalledNode } from '../node-versions/installed-nodes.ts'
import { userFolder } from '../support/bundled-package.ts'
import type { UserFolder } from '../support/bundled-package.ts'

const run = promisify(execFile)
const root = fileURLToPath(new URL('../..', import.meta.url))
/** The binaries are built for this platform; `npm test` says so where they are not. */
const hasBinaries = process.platform === 'linux' && process.arch === 'x64'

describe.skipIf(!hasBinaries)('other versions of Node', () => {
  let user: UserFolder
  let nodes: readonly InstalledNode[]

  beforeAll(async () => {
    nodes = await installedNodes()
    user = await userFolder()
  }, 300_000)
  afterAll(() => user[Symbol.asyncDispose]())

  it('DE1 they are what they are called: 22 and 24', async () => {
    const versions = await Promise.all(nodes.map(async ({ path }) => (await run(path, ['--version'])).stdout.trim()))
    expect(versions).toEqual(nodes.map(({ version }) => `v${version}`))
    expect(versions.map((version) => version.split('.')[0])).toEqual(['v22', 'v24'])
  })

  it('DE1 two runs of one seed give byte-identical journals, whatever the version', { timeout: 60_000 }, async () => {
    const program = join(user.path, 'story.mjs')
    await build({
      entryPoints: [join(root, 'test/fixtures/print-seeded-story.ts')],
      outfile: program,
      bundle: true,
      packages: 'external',
      format: 'esm',
      platform: 'node',
      target: 'node20.19',
    })
    const [story, other] = [await storyOf('a'), await storyOf('b')]
    expect(story.length).toBeGreaterThan(2_000)
    expect(other).not.toBe(story)
    for (const { path, version } of nodes) {
      const printed = async (seed: string): Promise<string> => (await run(path, [program, seed], { maxBuffer: 2 ** 26 })).stdout
      expect(await printed('a'), version).toBe(story)
      expect(await printed('b'), version).toBe(other)
    }
  })

  it("CO7 the README's first program does there what it says", { timeout: 60_000 }, async () => {
    const [, program = ''] = /^```js\n([^]*?)^```$/m.exec(await readFile(join(root, 'README.md'), 'utf8')) ?? []
    const promised = promisedLines(program)
    expect(promised).toHaveLength(1)
    for (const { path, version } of nodes) {
      const cwd = await mkdtemp(join(user.path, 'readme-'))
      await writeFile(join(cwd, 'hello.mjs'), program)
      const { stdout, stderr } = await run(path, ['hello.mjs'], { cwd })
      expect(stdout.trimEnd().split('\n'), version).toEqual(promised)
      expect(stderr, version).toBe('')
    }
  })
  it('DE1 the worked tests for node:test run there without a compiler', { timeout: 60_000 }, async () => {
    await copyFile(join(root, 'examples/testing/node.test.ts'), join(user.path, 'node.test.ts'))
    for (const { path, version } of nodes) {
      const { stdout } = await run(path, ['--test', '--test-reporter=tap', 'node.test.ts'], { cwd: user.path })
      expect(stdout, version).toMatch(/^# pass 7\n# fail 0$/m)
    }
  })
})
