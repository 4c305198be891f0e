// Builds dist from src: declarations by the compiler, JavaScript by the bundler. The command line is executable.
import { execFileSync } from 'node:child_process'
import { chmod, rename, rm, stat } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'

const path = (name) => fileURLToPath(new URL(`../${name}`, import.meta.url))
const fresh = path(`dist-${process.pid}`)

try {
  for (const program of [
    [path('node_modules/typescript/bin/tsc'), '-p', path('tsconfig.build.json'), '--outDir', fresh],
    [path('scripts/bundle.mjs'), fresh],
  ])
    execFileSync(process.execPath, program, { stdio: 'inherit' })
  const main = `${fresh}/cli/main.js`
  if (await stat(main).catch(() => undefined)) await chmod(main, 0o755)
  // What runs from the old one meanwhile finds its files until the new one is whole.
  await rm(path('dist'), { recursive: true, force: true })
  await rename(fresh, path('dist'))
} catch (error) {
  // The program that failed has said what is wrong.
  process.exitCode = error.status ?? 1
  if (error.status === undefined) console.error(error)
} finally {
  await rm(fresh, { recursive: true, force: true })
}
