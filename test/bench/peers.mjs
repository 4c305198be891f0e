import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const folder = fileURLToPath(new URL('.', import.meta.url))

/** Installs what the bench compares with, where it is missing. Gives the names of what cannot be had, each with the reason. */
export function installPeers() {
  const wanted = Object.entries(JSON.parse(readFileSync(`${folder}package.json`, 'utf8')).dependencies)
  const missing = () => wanted.filter(([name, version]) => versionOf(name) !== version).map(([name]) => name)
  if (missing().length > 0) {
    console.error('Installing the peers (a native build of a minute or two) …')
    spawnSync('npm', ['ci', '--no-audit', '--no-fund'], { cwd: folder, stdio: ['ignore', 2, 2] })
  }
  return missing()
}

function versionOf(name) {
  try {
    return JSON.parse(readFileSync(`${folder}node_modules/${name}/package.json`, 'utf8')).version
  } catch {
    return undefined
  }
}
