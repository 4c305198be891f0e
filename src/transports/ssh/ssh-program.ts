import { constants } from 'node:os'
import type { AttemptKey } from '../../protocol/wire.ts'
import type { WorkerLaunch } from '../../ports/transport.ts'
import type { CommandLaunch } from '../commands/command-launch.ts'
import type { Program, ProgramEnd } from '../program.ts'
import { createRemoteLeavings } from './remote-leavings.ts'
import { commandScript } from './remote-scripts.ts'
import { digest, incarnationMark, ownerMark } from './ssh-client.ts'
import type { SshLink } from './ssh-link.ts'

/** Where and how the programs of a worker run at its host. */
export interface SshPlace {
  readonly link: SshLink
  readonly launch: WorkerLaunch
  /** Absolute path at the host; undefined: a folder of each attempt's own. */
  readonly workingDirectory: string | undefined
  readonly termToKillMs: number
  readonly drainLimitMs: number
  /** Bounds of what is fetched of one attempt. */
  readonly fetched: { readonly files: number; readonly bytes: number }
}

/** A program that is to run at the host. */
export interface SshOrder {
  readonly key: AttemptKey
  readonly program: Pick<CommandLaunch, 'program' | 'args' | 'environment'>
  /** The file of its input, and what is in it. */
  readonly input: { readonly name: string; readonly text: string }
  /** What the first program of an attempt brings: without it, it runs where that one ran. */
  readonly fresh?: {
    /** Its root below the working directory; empty for that itself. */
    readonly root: string
    /** A tar archive of its input files, in pieces. */
    readonly staged: readonly Uint8Array[]
    /** The path of the file that the scorer reads. */
    readonly evidence: string | undefined
    /** Its folder stays when it ends with exit code 0: something will look at it. */
    readonly keep: boolean
    /** The attempt's folder at the fleet, which takes what it left. */
    readonly folder: string
  }
  readonly stdout: (bytes: Uint8Array) => void
  readonly stderr: (bytes: Uint8Array) => void
  readonly signal: AbortSignal
}

/** A program at a host; what it left is in the attempt's folder when it has ended. */
export interface SshProgram extends Program {
  readonly ended: Promise<SshProgramEnd>
}

export interface SshProgramEnd extends ProgramEnd {
  /** Lines for the log, of what did not come over. */
  readonly notes: readonly string[]
  /** What the file was that the scorer reads, and its bytes. */
  readonly evidence: { readonly found: string; readonly bytes: Uint8Array }
}

/**
 * Starts a program at a host, in a process group of its own and under a supervisor there that ends it with all that it started when it is told
 * to, and when nobody is there any more (HO3). Resolves with the words of the refusal when it cannot be.
 */
export async function startSshProgram(
  place: SshPlace,
  order: SshOrder,
): Promise<SshProgram | { readonly refused: readonly string[] }> {
  const { link, launch, workingDirectory, termToKillMs, drainLimitMs, fetched } = place
  const { key, program, input, fresh, signal } = order
  const name = digest(`${launch.storeId}/${key.run_id}/${key.task_id}/${key.attempt}`)
  const mark = `${ownerMark(launch)}-${incarnationMark(launch)}-${name}`
  const leavings = createRemoteLeavings(fresh?.folder ?? '', fetched)
  const given = Buffer.from(input.text)
  const remote = link.run(
    commandScript,
    {
      variables: {
        name,
        program: mark,
        fresh: fresh === undefined ? '' : 1,
        dir: workingDirectory ?? '',
        sub: fresh?.root ?? '',
        staged: sizeOf(fresh?.staged ?? []),
        given: given.length,
        input: input.name,
        silence: seconds(launch.leaseTtlMs),
        grace: seconds(termToKillMs),
        drain: seconds(drainLimitMs),
        evidence: fresh?.evidence ?? '',
        most: Math.ceil(fetched.bytes / 1_024),
        keep: fresh?.keep === true ? 1 : '',
      },
      environment: { ...program.environment, FLOTILLA_MARK: mark },
      command: [program.program, ...program.args],
      pieces: [...(fresh?.staged ?? []), given],
    },
    {
      isLast: ([word]) => word === 'ended' || word === 'refused',
      stdout: order.stdout,
      stderr: order.stderr,
      after: leavings.write,
      beatMs: launch.leaseTtlMs / 4,
    },
  )
  const stop = () => remote.terminate(0)
  signal.addEventListener('abort', stop, { once: true })
  if (signal.aborted) stop()
  const begun = await remote.begun
  signal.removeEventListener('abort', stop)

  async function endOf(): Promise<SshProgramEnd> {
    const end = await remote.ended
    if (end.kind === 'said') {
      const [, code, found = 'none', note] = end.words
      const over = note === 'too_much' ? [`[artifacts left out: together they are larger than ${fetched.bytes} bytes]\n`] : []
      return {
        ...exitOf(Number(code)),
        isDrained: true,
        notes: [...leavings.end(), ...over],
        evidence: { found, bytes: leavings.evidence },
      }
    }
    // Whether something of it still runs must be known before anybody is told that it has ended (WO3).
    await link.sweep(mark, name)
    return { lost: end.reason, isDrained: true, notes: [], evidence: nothing }
  }

  if (begun?.[0] === 'refused') {
    await remote.ended
    return { refused: begun }
  }
  return {
    record: undefined,
    terminate: remote.terminate,
    pipes: [],
    ended: endOf().catch((error: unknown) => ({ lost: String(error), isDrained: true, notes: [], evidence: nothing })),
  }
}

const nothing: SshProgramEnd['evidence'] = { found: 'none', bytes: new Uint8Array() }

/** A shell tells the end by a signal as an exit code above 128. */
function exitOf(code: number): Pick<ProgramEnd, 'exitCode' | 'signal'> {
  const signal = Object.entries(constants.signals).find(([, number]) => number === code - 128)
  return signal === undefined ? { exitCode: code } : { signal: signal[0] }
}

function seconds(ms: number): number {
  return Math.max(1, Math.ceil(ms / 1_000))
}

function sizeOf(pieces: readonly Uint8Array[]): number {
  return pieces.reduce((sum, piece) => sum + piece.length, 0)
}
