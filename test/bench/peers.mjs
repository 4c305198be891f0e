import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const folder = fileURLToPath(new URL('.', import.meta.url))

// Names and versions.
const peers = Object.entries(JSON.parse(readFileSync(`${folder}package.json`, 'utf8')).dependencies)

export const peerNames = peers.map(([name]) => name)

/** Installs the peers, where it is missing. Gives the names of what cannot be had all the same. */
export function installPeers() {
  const missing = () => peers.filter(([name, version]) => !isInstalled(name, version)).map(([name]) => name)
  if (missing().length === 0) return []
  console.error('Installing the peers (a native build of a minute or two) …')
  spawnSync('npm', ['ci', '--no-audit', '--no-fund'], { cwd: folder, stdio: ['ignore', 2, 2] })
  const lacking = missing()
  if (lacking.length > 0) console.error(`Not installed, and so not measured: ${lacking.join(', ')}.`)
  return lacking
}

function isInstalled(name, version) {
  try {
    if (JSON.parse(readFileSync(`${folder}node_modules/${name}/package.json`, 'utf8')).version !== version) return false
  } catch {
    return false
  }
  return name !== 'better-sqlite3' || isBuilt(name)
}

/** A native module may be there without what has to be compiled of it. */
function isBuilt(name) {
  return (
    spawnSync(process.execPath, ['-e', `new (require('${name}'))(':memory:')`], { cwd: folder, stdio: 'ignore' }).status === 0
  )
}
