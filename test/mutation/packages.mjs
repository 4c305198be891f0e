import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const folder = fileURLToPath(new URL('.', import.meta.url))

/** Installs what this folder's own package names, where it is missing. */
export function installPackages() {
  const { dependencies } = readJson('package.json')
  const isInstalled = ([name, version]) => readJson(`node_modules/${name}/package.json`).version === version
  const isComplete = () => Object.entries(dependencies).every(isInstalled)
  if (isComplete()) return
  console.error('Installing Stryker into test/mutation …')
  spawnSync('npm', ['ci', '--no-audit', '--no-fund'], { cwd: folder, stdio: ['ignore', 2, 2] })
  if (!isComplete()) throw new Error('Stryker cannot be installed: see above.')
}

function readJson(name) {
  try {
    return JSON.parse(readFileSync(`${folder}${name}`, 'utf8'))
  } catch {
    return {}
  }
}
