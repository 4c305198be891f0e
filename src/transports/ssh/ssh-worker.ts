import type { ChildProcessWithoutNullStreams } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import type { WorkerLaunch } from '../../ports/transport.ts'
import { createLineReader } from '../line-reader.ts'
import { stdioConnection } from '../programs/stdio-connection.ts'
import type { LaunchOrder, StartedWorker } from '../programs/worker-launcher.ts'
import { sweepScript, workerScript } from './remote-scripts.ts'
import { remoteShell } from './remote-shell.ts'
import { incarnationMark, openSshClient, ownerMark, passedOn, type SshClient, type SshParts } from './ssh-client.ts'

/** Seconds that a program whose fleet is gone gets to go by itself, and then between TERM and KILL. */
const graceSeconds = 5
/** Seconds in which what a program leaves behind may hold its output open (HO3). */
const drainSeconds = 1
/** How long the connection may take to end once nothing of the program is left. */
const endLimitMs = 10_000
/** Characters of one line of what it writes besides the protocol (HO4). */
const lineLimit = 1_048_576
/** A host that does not end something within this is not there. */
const sweepLimitMs = 10_000
/** How often a host that cannot be reached is asked again to end what is left there. */
const sweepPauseMs = 2_000

/** Starts a worker program at another host, over a connection of its own. Rejects with the reason when it cannot be. */
export async function startOverSsh(parts: SshParts, command: readonly string[], order: LaunchOrder): Promise<StartedWorker> {
  order.signal.throwIfAborted()
  const client = await openSshClient(parts, order.launch, order.signal)
  return startAt(parts, { client, command, order })
}

async function startAt(
  parts: SshParts,
  { client, command, order }: { readonly client: SshClient; readonly command: readonly string[]; readonly order: LaunchOrder },
): Promise<StartedWorker> {
  const { launch, log } = order
  const name = randomBytes(16).toString('hex')
  const marks = { owner: ownerMark(launch), incarnation: incarnationMark(launch) }
  const program = `${marks.owner}-${marks.incarnation}-${name}`
  const child = client.spawn('no')
  await once(child, 'spawn').catch(async (error: unknown) => {
    await client.close()
    throw error
  })
  const mark = `flotilla-${randomBytes(16).toString('hex')}`
  const variables = {
    ...marks,
    mark,
    name,
    program,
    dir: parts.host.workingDirectory ?? '',
    grace: graceSeconds,
    drain: drainSeconds,
  }
  const environment = { ...passedOn(parts.environment, parts.host.environment), ...identityOf(launch), FLOTILLA_MARK: program }
  child.stdin.write(remoteShell(workerScript, { variables, environment, command }))

  const stderr = createLineReader({ limit: lineLimit, emit: log })
  const stdout = createLineReader({ limit: lineLimit, emit: log })
  child.stderr.on('data', stderr.write).on('error', () => {})
  let hasBegun = false
  const connection = stdioConnection({
    input: child.stdin,
    output: child.stdout,
    other(bytes) {
      if (!hasBegun && Buffer.from(bytes).toString() === `${mark} started`) hasBegun = true
      else stdout.write(bytes)
    },
  })
  const gone = new AbortController()
  child.on('error', () => {})
  const ended = once(child, 'close').then(() => {
    stderr.end()
    stdout.end()
    gone.abort()
    connection.end(exitReason(child, parts.host.host))
  })
  let stopping: Promise<void> | undefined

  async function stop(graceMs: number): Promise<void> {
    child.stdin.end()
    await parts.clock.sleep(graceMs, { signal: gone.signal })
    if (!gone.signal.aborted) await sweep()
    await parts.clock.sleep(endLimitMs, { signal: gone.signal })
    if (!gone.signal.aborted) child.kill('SIGKILL')
    await ended
    // A connection that never came up has left nothing.
    if (hasBegun && !isConfirmed(child)) await sweepUntilGone()
    child.stdin.destroy()
    await client.close()
  }

  /** Kills all that carries the mark of this program; false when that cannot be made sure. */
  async function sweep(): Promise<boolean> {
    const limits = { startLimitMs: sweepLimitMs, endLimitMs: sweepLimitMs }
    const sweeping = client.run(sweepScript, { variables: { program, name } }, { isLast: () => true, shared: 'no', ...limits })
    const end = await sweeping.ended
    return end.kind === 'said' && end.words[0] === 'swept'
  }

  /** A host that cannot be reached is given up when the lease would be over (WO3). */
  async function sweepUntilGone(): Promise<void> {
    const { clock } = parts
    const deadline = clock.monotonic() + launch.leaseTtlMs
    while (!(await sweep()) && clock.monotonic() < deadline) await clock.sleep(sweepPauseMs)
  }

  return {
    connection,
    stop: (graceMs) => {
      if (graceMs === 0 && stopping !== undefined && !gone.signal.aborted) void sweep()
      return (stopping ??= stop(graceMs))
    },
  }
}

function identityOf({ storeId, workerId, incarnation }: WorkerLaunch): Readonly<Record<string, string>> {
  return { FLOTILLA_STORE: storeId, FLOTILLA_WORKER: workerId, FLOTILLA_INCARNATION: incarnation }
}

/** The script at the other side came to its end, so nothing of the program is left; the client itself says 255. */
function isConfirmed({ exitCode }: ChildProcessWithoutNullStreams): boolean {
  return exitCode !== null && exitCode !== connectionFailed
}

const connectionFailed = 255

function exitReason(child: ChildProcessWithoutNullStreams, host: string): string {
  if (!isConfirmed(child)) return `the connection to ${host} ended`
  return `it exited with code ${child.exitCode}`
}
