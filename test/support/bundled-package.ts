import { execFile } from 'node:child_process'
import { copyFile, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const root = fileURLToPath(new URL('../..', import.meta.url))

/** A user's folder, with the package installed in it as it is published, but for the declarations. */
export interface UserFolder extends AsyncDisposable {
  readonly path: string
}

/** Bundles the package for a folder of its own, inside of the checkout, so that its dependencies are found. */
export async function userFolder(): Promise<UserFolder> {
  await mkdir(join(root, '.flotilla'), { recursive: true })
  const path = await mkdtemp(join(root, '.flotilla', 'user-'))
  const installed = join(path, 'node_modules', 'flotilla')
  await promisify(execFile)(process.execPath, [join(root, 'scripts/bundle.mjs'), join(installed, 'dist')])
  // The condition that leads to the sources is for this checkout alone, and threads inherit it from the tests.
  const manifest = (await readFile(join(root, 'package.json'), 'utf8')).replaceAll(/^ *"flotilla-source":.*\n/gm, '')
  await writeFile(join(installed, 'package.json'), manifest)
  await writeFile(join(path, 'package.json'), '{ "type": "module" }')
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) }
}

/** A user's folder with the worker programs of the fixtures beside the installed package. */
export async function workerFolder(): Promise<UserFolder & { readonly program: (name: string) => string }> {
  const folder = await userFolder()
  const programs = join(root, 'test/fixtures/workers')
  for (const name of await readdir(programs)) await copyFile(join(programs, name), join(folder.path, name))
  return { ...folder, program: (name) => join(folder.path, name) }
}
