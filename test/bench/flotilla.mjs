import { createRequire } from 'node:module'
import { fileURLToPath, pathToFileURL } from 'node:url'

/** The folder of the package that is measured. */
export const root = fileURLToPath(new URL('../..', import.meta.url))

/** The file that `import 'flotilla'` loads. This folder is a package of its own, so its name has to be asked for from the root. */
export const entryFile = () => createRequire(`${root}/package.json`).resolve('flotilla')

/** The package, as a program that uses it gets it. */
export const importFlotilla = () => import(pathToFileURL(entryFile()).href)
