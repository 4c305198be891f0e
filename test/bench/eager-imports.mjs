import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, resolve } from 'node:path'

/** The packages that a module loads at once, through its own files, in the order in which they are met. */
export function eagerImports(entry) {
  const packages = new Set()
  const seen = new Set()
  follow(entry)
  return [...packages]

  function follow(file) {
    if (seen.has(file)) return
    seen.add(file)
    for (const name of staticImports(readFileSync(file, 'utf8'))) {
      if (name.startsWith('.')) follow(resolve(dirname(file), name))
      else if (!name.startsWith('node:')) packages.add(name)
    }
  }
}

/** Where each package lies, and with it all that it needs, as the lock tells. */
export function packageFolders(root, names) {
  const { packages } = createRequire(`${root}/package.json`)(`${root}/package-lock.json`)
  const found = new Set()
  for (const name of names) collect(name, '')
  return [...found].map((path) => resolve(root, path))

  function collect(name, from) {
    const path = placeOf(name, from)
    if (path === undefined || found.has(path)) return
    found.add(path)
    for (const needed of Object.keys(packages[path].dependencies ?? {})) collect(needed, path)
  }

  /** The nearest `node_modules` that has it, as Node looks for it. */
  function placeOf(name, from) {
    for (let folder = from; ; folder = folder.slice(0, Math.max(0, folder.lastIndexOf('/node_modules/')))) {
      const path = `${folder === '' ? '' : `${folder}/`}node_modules/${name}`
      if (packages[path] !== undefined) return path
      if (folder === '') return undefined
    }
  }
}

// Statements that load at once begin a line and hold no value.
const staticImports = (text) =>
  [...text.matchAll(/^(?:import|export)\b(?:[^'"=;]*\bfrom)?\s*['"]([^'"]+)['"]/gm)].map(([, name]) => name)
