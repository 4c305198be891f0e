import type { Transport } from '../../ports/transport.ts'
import { commandsOver } from '../command-way.ts'
import { enforcementOf } from '../enforcement.ts'
import type { ContainerOptions } from './container-options.ts'
import { loadLaunched } from '../late.ts'

/**
 * Runs `metadata.command` of tasks as `commandTransport` does, each in a container of its own: without a shell, in the task's workspace
 * root, which it sees under its own path, with no variables but its own and those of the image.
 *
 * - Every container has no rights, a user that is not root, a file system that cannot be written, and bounds of processes, memory and sizes. It
 *   writes the attempt's folder, and of the workspace what the task's `writable_paths` or, where it must be confined, what was granted (WS4).
 * - What must be confined has no network, and its folder lies in memory while it runs (SE3).
 * - It is asked to end, and killed, by its name; `reap` removes what an earlier fleet left behind (HO5, LE6).
 */
export function containerCommands(options: ContainerOptions): Transport & Required<Pick<Transport, 'checks'>> {
  return commandsOver('docker', {
    enforces: () => enforcementOf(options.probe()),
    make: ({ commandsInContainers }) => commandsInContainers(options),
    reap: async ({ storeId }) => (await loadLaunched()).commandsInContainers(options).reap(storeId),
  })
}
