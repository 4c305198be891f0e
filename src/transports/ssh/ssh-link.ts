import type { WorkerLaunch } from '../../ports/transport.ts'
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
  /** Ends all that is left of one program at the host. Where that cannot be made sure, the whole connection is given up before it resolves. */
  sweep(program: string, name: string): Promise<void>
  /** Resolves, with the reason, when the connection is gone. */
  readonly lost: Promise<string>
  close(): Promise<void>
}

/** A host that does not end something within this is not there. */
const sweepLimitMs = 10_000

/**
 * Connects to a host and stays: the key is checked, what the host needs is looked for, and what earlier incarnations of the worker left there is
 * ended before this resolves (LE6). Rejects with the reason.
 */
export async function openSshLink(parts: SshParts, launch: WorkerLaunch, signal: AbortSignal): Promise<SshLink> {
  signal.throwIfAborted()
  const client = await openSshClient(parts, launch, signal)
  const variables = { owner: ownerMark(launch), incarnation: incarnationMark(launch) }
  const anchor = client.run(
    anchorScript,
    { variables },
    { isLast: ([word]) => word === 'ready' || word === 'refused', shared: 'opens' },
  )
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
  const lost = anchor.ended.then((end) => (end.kind === 'lost' ? end.reason : 'the host ended the connection'))
  return {
    run: (script, input, conversation) => client.run(script, input, { ...conversation, shared: 'joins' }),
    async sweep(program, name) {
      const end = await client.run(
        sweepScript,
        { variables: { program, name } },
        { isLast: () => true, shared: 'joins', startLimitMs: sweepLimitMs },
      ).ended
      if (end.kind === 'said' && end.words[0] === 'swept') return
      anchor.cut()
      await lost
    },
    lost,
    async close() {
      anchor.cut()
      await anchor.ended
      await client.close()
    },
  }
}
