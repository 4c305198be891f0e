import { execFile } from 'node:child_process'
import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { build } from 'esbuild'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { promisedLines } from '../examples/expected-output.ts'
import { storyOf } from '../fixtures/seeded-story.ts'
import { installedNodes } from '../node-versions/installed-nodes.ts'
import type { InstalledNode } from '../node-versions/installed-nodes.ts'

const run = promisify(execFile)
const root = fileURLToPath(new URL('../..', import.meta.url))
/** The binaries are built for this platform; `npm test` says so where they are not. */
const hasBinaries = process.platform === 'linux' && process.arch === 'x64'

describe.skipIf(!hasBinaries)('other versions of Node', () => {
  let folder: string
  let nodes: readonly InstalledNode[]

  beforeAll(async () => {
    nodes = await installedNodes()
    // Inside of the package, so that its dependencies are found.
    await mkdir(join(root, '.flotilla'), { recursive: true })
    folder = await mkdtemp(join(root, '.flotilla', 'nodes-'))
  }, 300_000)
  afterAll(() => rm(folder, { recursive: true, force: true }))

  it('DE1 they are what they are called: 22 and 24', async () => {
    const versions = await Promise.all(nodes.map(async ({ path }) => (await run(path, ['--version'])).stdout.trim()))
    expect(versions).toEqual(nodes.map(({ version }) => `v${version}`))
    expect(versions.map((version) => version.split('.')[0])).toEqual(['v22', 'v24'])
  })

  it('DE1 two runs of one seed give byte-identical journals, whatever the version', { timeout: 60_000 }, async () => {
    const program = join(folder, 'story.mjs')
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
    const modules = join(folder, 'node_modules', 'flotilla')
    // A package of its own, as a user's is.
    await writeFile(join(folder, 'package.json'), '{ "type": "module" }')
    await run(process.execPath, [join(root, 'scripts/bundle.mjs'), join(modules, 'dist')])
    await copyFile(join(root, 'package.json'), join(modules, 'package.json'))
    const [, program = ''] = /^```js\n([^]*?)^```$/m.exec(await readFile(join(root, 'README.md'), 'utf8')) ?? []
    const promised = promisedLines(program)
    expect(promised).toHaveLength(1)
    for (const { path, version } of nodes) {
      const cwd = await mkdtemp(join(folder, 'readme-'))
      await writeFile(join(cwd, 'hello.mjs'), program)
      const { stdout, stderr } = await run(path, ['hello.mjs'], { cwd })
      expect(stdout.trimEnd().split('\n'), version).toEqual(promised)
      expect(stderr, version).toBe('')
    }
  })
})
