import type { Clock } from '../../ports/clock.ts'
import type { Environment } from '../../ports/environment.ts'
import { killCarriers, reapOrphans } from '../orphans.ts'
import { unconfined } from '../enforcement.ts'
import type { LaunchOrder, WorkerLauncher } from './worker-launcher.ts'
import { loadLaunched } from '../late.ts'

/** How worker processes are started. */
export interface ChildProcessOptions {
  /** The program, and what it is started with; no shell takes part. */
  readonly command: readonly [program: string, ...args: string[]]
  /** Default: the folder of the fleet's process. */
  readonly cwd?: string
  /** Variables besides the platform's essentials, which is all that the process gets of the fleet's own (WS3). Not for secrets: those travel with each attempt. */
  readonly env?: Readonly<Record<string, string>>
}

/** Starts worker programs as processes of this machine. Nothing confines them (SE2). */
export function childProcessLauncher(
  options: ChildProcessOptions & { readonly clock: Clock; readonly environment: Environment },
): WorkerLauncher {
  const { command, cwd = process.cwd(), env = {}, clock, environment } = options
  const [program, ...args] = command
  let started = 0
  return {
    kind: 'child-process',
    enforces: unconfined('nothing confines a worker process'),
    sharesFiles: true,
    startsAhead: true,
    async start({ launch, log, signal }) {
      const { inherited, startWorkerProgram } = await loadLaunched()
      signal.throwIfAborted()
      started += 1
      const mark = {
        FLOTILLA_STORE: launch.storeId,
        FLOTILLA_WORKER: launch.workerId,
        FLOTILLA_PROCESS: `${process.pid}-${started}`,
      }
      return startWorkerProgram({
        launch: { program, args, cwd, environment: { ...inherited(environment), ...env, ...incarnationOf(launch), ...mark } },
        clock,
        log,
        // What left its process group still carries its mark (LE6).
        sweep: (since) =>
          killCarriers({ entries: Object.entries(mark).map(([name, value]) => `${name}=${value}`), clock, since }).catch(
            () => undefined,
          ),
      })
    },
    reap: ({ storeId, recorded }) => reapOrphans({ storeId, recorded, clock }),
  }
}

function incarnationOf({ incarnation }: LaunchOrder['launch']): Record<string, string> {
  return { FLOTILLA_INCARNATION: incarnation }
}
