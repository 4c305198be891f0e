// Bundles the JavaScript of the package into a folder, in few files, since a program that imports a hundred small ones spends longer on
// finding them than on running them: `node scripts/bundle.mjs FOLDER`.
import { build } from 'esbuild'
import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

const path = (name) => fileURLToPath(new URL(`../${name}`, import.meta.url))
const [folder] = process.argv.slice(2)
if (folder === undefined) throw new Error('Name the folder that the bundle goes to.')

const common = {
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
}
const entryPoints = (...names) => names.map((name) => path(`src/${name}.ts`))

await build({
  ...common,
  entryPoints: entryPoints(
    'index',
    'protocol/index',
    'protocol/errors',
    'lifecycles/index',
    'http/index',
    'testing/index',
    'cli/main',
  ),
})

// A worker program starts once for each attempt where that is asked for, so it finds everything in one file. The class of errors is that of
// the other entries: `instanceof` holds between them.
await build({
  ...common,
  entryPoints: entryPoints('worker/index'),
  plugins: [
    {
      name: 'shared-errors',
      setup: ({ onResolve }) =>
        onResolve({ filter: /\/errors\.ts$/ }, ({ resolveDir, path: wanted }) =>
          resolve(resolveDir, wanted) === path('src/protocol/errors.ts')
            ? { path: '../protocol/errors.js', external: true }
            : undefined,
        ),
    },
  ],
})
