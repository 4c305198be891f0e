// Bundles the JavaScript of the package into a folder, in few files, since a program that imports a hundred small ones spends longer on
// finding them than on running them: `node scripts/bundle.mjs FOLDER`.
import { build } from 'esbuild'
import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

const path = (name) => fileURLToPath(new URL(`../${name}`, import.meta.url))
const [folder] = process.argv.slice(2)
if (folder === undefined) throw new Error('Name the folder that the bundle goes to.')

const common = {
  absWorkingDir: path(''),
  outbase: path('src'),
  outdir: resolve(folder),
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

const main = {
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
}

// What is loaded late finds all that `index` loads at once. Where it counts as reaching all of that, it lies in few files; otherwise in one for
// each set of late modules that share something, and to find a file takes longer than to run it.
const late = new Set(await lateModules(main))
await build({
  ...main,
  // That nothing of it is used is the point.
  logOverride: { 'ignored-bare-import': 'silent' },
  plugins: [
    {
      name: 'late-modules-find-the-index',
      setup: ({ onLoad }) =>
        onLoad({ filter: /\.ts$/ }, async ({ path: file }) =>
          late.has(file)
            ? { contents: `import ${JSON.stringify(path('src/index.ts'))}\n${await readFile(file, 'utf8')}`, loader: 'ts' }
            : undefined,
        ),
    },
  ],
})

/** The modules of the package that others load with `import()`. */
async function lateModules(options) {
  const { metafile } = await build({ ...options, write: false, metafile: true })
  const own = Object.values(metafile.inputs).flatMap(({ imports }) => imports)
  return own.filter(({ kind, external }) => kind === 'dynamic-import' && external !== true).map((one) => path(one.path))
}

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
