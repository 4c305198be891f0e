import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const folder = fileURLToPath(new URL('.', import.meta.url))

/** A version of Node besides the one that runs the tests. */
export interface InstalledNode {
  readonly version: string
  /** The program. */
  readonly path: string
}

/** The versions of Node of this folder's own package; installed with its lock file where one is missing. */
export async function installedNodes(): Promise<readonly InstalledNode[]> {
  const { dependencies } = await json<{ readonly dependencies: Readonly<Record<string, string>> }>('package.json')
  const nodes = Object.entries(dependencies).map(([name, wanted]) => ({
    name,
    version: wanted.slice(wanted.lastIndexOf('@') + 1),
    path: `${folder}node_modules/${name}/bin/node`,
  }))
  const installed = await Promise.all(
    nodes.map(({ name }) =>
      json<{ version?: string }>(`node_modules/${name}/package.json`).catch(() => ({ version: undefined })),
    ),
  )
  if (nodes.some(({ version }, index) => installed[index]?.version !== version))
    await promisify(execFile)('npm', ['ci', '--no-audit', '--no-fund'], { cwd: folder })
  return nodes
}

async function json<Content>(name: string): Promise<Content> {
  return JSON.parse(await readFile(`${folder}${name}`, 'utf8')) as Content
}
