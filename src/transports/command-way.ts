import type { CheckRunner } from '../ports/check-runner.ts'
import type { Enforcement, Transport } from '../ports/transport.ts'
import { type Launched, loadLaunched } from './late.ts'

/** How the commands of tasks, and those of their checks, are run at one kind of host. */
export interface CommandWay {
  readonly open: Transport['open']
  /** Runs the command of a scorer to its end. */
  readonly check: CheckRunner['run']
}

/**
 * The transport of workers that run commands. How they do is loaded when the first of them comes up, or the first check runs: what matching asks
 * for is known before.
 */
export function commandsOver(
  kind: string,
  parts: {
    readonly enforces: () => Enforcement
    readonly make: (code: Launched) => CommandWay
    readonly reap?: NonNullable<Transport['reap']>
  },
): Transport & Required<Pick<Transport, 'checks'>> {
  const { enforces, make, reap } = parts
  let made: CommandWay | undefined
  const way = async (): Promise<CommandWay> => {
    const code = await loadLaunched()
    return (made ??= make(code))
  }
  return {
    kind,
    get enforces() {
      return enforces()
    },
    checks: {
      get enforces() {
        return enforces()
      },
      run: async (command, how) => (await way()).check(command, how),
    },
    heartbeats: 'fleet',
    startsAtOnce: false,
    survives: false,
    serves: { handlers: [], commands: true, plain: false },
    open: async (launch, how) => (await way()).open(launch, how),
    ...(reap !== undefined && { reap }),
  }
}
