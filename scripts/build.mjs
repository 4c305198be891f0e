// Builds dist from src: declarations by the compiler; JavaScript in few files, since a program that imports a hundred small ones spends
// longer on finding them than on running them. The command line is executable.
import { build } from 'esbuild'
import { execFileSync } from 'node:child_process'
import { chmod, rename, rm, stat } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'

const path = (name) => fileURLToPath(new URL(`../${name}`, import.meta.url))
const fresh = path(`dist-${process.pid}`)

try {
  const tsc = [path('node_modules/typescript/bin/tsc'), '-p', path('tsconfig.build.json'), '--outDir', fresh]
  execFileSync(process.execPath, tsc, { stdio: 'inherit' })
  await build({
    entryPoints: ['index', 'protocol/index', 'testing/index', 'cli/main'].map((entry) => path(`src/${entry}.ts`)),
    outbase: path('src'),
    outdir: fresh,
    chunkNames: 'chunks/[name]-[hash]',
    bundle: true,
    splitting: true,
    packages: 'external',
    format: 'esm',
    platform: 'node',
    target: 'node20.19',
    logLevel: 'warning',
  })
  const main = `${fresh}/cli/main.js`
  if (await stat(main).catch(() => undefined)) await chmod(main, 0o755)
  // What runs from the old one meanwhile finds its files until the new one is whole.
  await rm(path('dist'), { recursive: true, force: true })
  await rename(fresh, path('dist'))
} catch (error) {
  // The compiler has said what is wrong.
  process.exitCode = error.status ?? 1
  if (error.status === undefined) console.error(error)
} finally {
  await rm(fresh, { recursive: true, force: true })
}
