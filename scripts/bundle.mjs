// Bundles the JavaScript of the package into a folder, in few files, since a program that imports a hundred small ones spends longer on
// finding them than on running them: `node scripts/bundle.mjs FOLDER`.
import { build } from 'esbuild'
import { fileURLToPath } from 'node:url'

const path = (name) => fileURLToPath(new URL(`../${name}`, import.meta.url))
const [folder] = process.argv.slice(2)
if (folder === undefined) throw new Error('Name the folder that the bundle goes to.')

await build({
  entryPoints: ['index', 'protocol/index', 'worker/index', 'http/index', 'testing/index', 'cli/main'].map((entry) =>
    path(`src/${entry}.ts`),
  ),
  outbase: path('src'),
  outdir: folder,
  chunkNames: 'chunks/[name]-[hash]',
  bundle: true,
  splitting: true,
  packages: 'external',
  format: 'esm',
  platform: 'node',
  target: 'node20.19',
  logLevel: 'warning',
})
