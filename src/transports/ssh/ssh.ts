import type { Files } from '../../ports/files.ts'
import type { Enforcement, Transport } from '../../ports/transport.ts'
import type { Redactor } from '../../security/redactor.ts'
import { commandsOver } from '../command-way.ts'
import type { CommandLimits } from '../commands/command-attempt.ts'
import { unconfined } from '../enforcement.ts'
import type { SshParts } from './ssh-client.ts'

/** What {@link sshTransport} takes. */
export interface SshTransportParts extends SshParts {
  readonly files: Files
  readonly bounds?: Partial<CommandLimits>
  /** Covers the secrets that are in use, before any output is cut; asked anew for each attempt. */
  readonly redactor?: (() => Redactor | undefined) | undefined
}

/** Nothing over ssh is confined: it has what the user at the host has (SE2). */
export const sshEnforces: Enforcement = unconfined('nothing confines what runs at another host over ssh')

/**
 * Runs `metadata.command` of tasks at another host, with the system's ssh client (HO5). All commands of a worker go over one connection: the
 * host's key is checked before anything is sent, what the host needs is looked for, and when the connection is lost the worker is, until it is
 * there again. A command finds what commands of this machine find, with a workspace of its own where no working directory is named.
 */
export function sshTransport(parts: SshTransportParts): Transport {
  // The host proves by its key who it is, before anything is sent (HO5).
  return {
    ...commandsOver('ssh', { enforces: () => sshEnforces, make: ({ commandsOverSsh }) => commandsOverSsh(parts) }),
    verifiesIdentity: true,
  }
}
