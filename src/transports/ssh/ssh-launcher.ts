import type { WorkerLauncher } from '../programs/worker-launcher.ts'
import type { SshParts } from './ssh-client.ts'
import { sshEnforces } from './ssh.ts'
import { loadLaunched } from '../late.ts'

/** Starts worker programs at another host, each over a connection of its own; they speak the protocol over it (HO5). */
export function sshLauncher(parts: SshParts): WorkerLauncher {
  const { command } = parts.host
  if (command === undefined) throw new TypeError('A host without a worker program has no launcher. Give it a command.')
  return {
    kind: 'ssh',
    enforces: sshEnforces,
    sharesFiles: false,
    async start(order) {
      const { startOverSsh } = await loadLaunched()
      return startOverSsh(parts, command, order)
    },
  }
}
