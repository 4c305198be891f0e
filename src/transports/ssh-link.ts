import type { WorkerLaunch } from '../ports/transport.ts'
import type { RemoteProgram } from './remote-program.ts'
import { refusalText } from './remote-refusal.ts'
import { anchorScript, sweepScript } from './remote-scripts.ts'
import { incarnationMark, openSshClient, ownerMark, type SshClient, type SshParts } from './ssh-client.ts'

/** The connection of one incarnation of a worker, that all its commands go over. */
export interface SshLink {
  readonly run: (
    script: string,
    input: Parameters<SshClient['run']>[1],
    conversation: Omit<Parameters<SshClient['run']>[2], 'shared'>,
  ) => RemoteProgram
  /** Ends all that is left of one program at the host; false when that cannot be made sure. */
  sweep(program: string, name: string): Promise<boolean>
  /** Resolves, with the reason, when the connection is gone. */
  readonly lost: Promise<string>
  close(): Promise<void>
}

/**
 * Connects to a host and stays: the key is checked, what the host needs is looked for, and what earlier incarnations of the worker left there is
 * ended before this resolves (LE6). Rejects with the reason.
 */
export async function openSshLink(parts: SshParts, launch: WorkerLaunch, signal: AbortSignal): Promise<SshLink> {
  signal.throwIfAborted()
  const client = await openSshClient(parts, launch, signal)
  const variables = { owner: ownerMark(launch), incarnation: incarnationMark(launch) }
  const anchor = client.run(anchorScript, { variables }, { isLast: ([word]) => word === 'ready' || word === 'refused', shared: 'opens' })
  const cut = () => anchor.cut()
  signal.addEventListener('abort', cut, { once: true })
  const said = await anchor.begun
  signal.removeEventListener('abort', cut)
  if (said?.[0] !== 'ready' || signal.aborted) {
    anchor.cut()
    const end = await anchor.ended
    await client.close()
    signal.throwIfAborted()
    throw new Error(`${parts.host.host}: ${end.kind === 'lost' && said === undefined ? end.reason : refusalText(said ?? [])}`)
  }
  return {
    run: (script, input, conversation) => client.run(script, input, { ...conversation, shared: 'joins' }),
    async sweep(program, name) {
      const sweeping = client.run(sweepScript, { variables: { program, name } }, { isLast: () => true, shared: 'joins' })
      const end = await sweeping.ended
      return end.kind === 'said' && end.words[0] === 'swept'
    },
    lost: anchor.ended.then((end) => (end.kind === 'lost' ? end.reason : 'the host ended the connection')),
    async close() {
      anchor.cut()
      await anchor.ended
      await client.close()
    },
  }
}
