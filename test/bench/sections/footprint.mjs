import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { eagerImports, packageFolders } from '../eager-imports.mjs'
import { entryFile, root } from '../flotilla.mjs'
import { cell, number } from '../format.mjs'
import { inChild } from '../in-child.mjs'
import { inRounds } from '../rounds.mjs'

/** What the package costs whoever imports and installs it. */
export async function footprint({ sizes }) {
  const eager = eagerImports(entryFile())
  const cases = [
    { key: 'flotilla', title: "import 'flotilla'", urls: [pathToFileURL(entryFile()).href] },
    {
      key: 'dependencies',
      title: `its dependencies alone: ${eager.join(', ')}`,
      urls: eager.map((name) => import.meta.resolve(name)),
    },
  ]
  const figures = await inRounds(cases, sizes.imports, ({ urls }) => inChild('import-time', { urls }))
  const { packed, unpacked } = packedSize()
  const needed = sizeOf(packageFolders(root, Object.keys(manifest().dependencies)))
  return {
    figures: { ...figures, size: { packed, unpacked, dependencies: needed } },
    tables: [
      {
        title: 'Time to import',
        columns: [`${sizes.imports} fresh processes each, alternating`, 'ms'],
        rows: cases.map(({ key, title }) => [title, cell(figures[key].ms, number)]),
      },
      {
        title: 'Size to install',
        columns: ['', 'kB'],
        rows: [
          ['the package, packed', number(packed / 1000)],
          ['the package, unpacked', number(unpacked / 1000)],
          ['with all of its dependencies, unpacked', number((unpacked + needed) / 1000)],
        ],
      },
    ],
  }
}

const manifest = () => JSON.parse(readFileSync(`${root}/package.json`, 'utf8'))

function packedSize() {
  const output = execFileSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], { cwd: root, encoding: 'utf8' })
  const [{ size, unpackedSize }] = JSON.parse(output)
  return { packed: size, unpacked: unpackedSize }
}

/** Bytes of the files in folders; a package inside of a package is counted where it is named. */
function sizeOf(folders) {
  let bytes = 0
  for (const folder of folders) {
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      if (entry.name === 'node_modules') continue
      const path = join(folder, entry.name)
      bytes += entry.isDirectory() ? sizeOf([path]) : statSync(path).size
    }
  }
  return bytes
}
