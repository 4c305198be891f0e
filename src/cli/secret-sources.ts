import { stat } from 'node:fs/promises'
import { envSecrets, FleetError, fileSecrets } from '../index.ts'
import type { SecretSource } from '../index.ts'
import type { Options } from './options.ts'
import type { WorkerModules } from './worker-modules.ts'

/** Where the command line looks for secrets: first where its modules say, then in the folders of `--secrets`, then in its environment. */
export async function secretSources(options: Options, modules: WorkerModules): Promise<readonly SecretSource[]> {
  for (const folder of options.secrets) {
    const isFolder = await stat(folder).then(
      (stats) => stats.isDirectory(),
      () => false,
    )
    if (!isFolder) throw new FleetError('usage', `--secrets ${folder}: there is no such folder.`, { details: { path: folder } })
  }
  return [...modules.secrets, ...options.secrets.map((folder) => fileSecrets({ folder })), envSecrets()]
}
