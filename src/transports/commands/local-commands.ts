import { sandboxLimits } from '../../security/sandbox.ts'
import type { CommandWay } from '../command-way.ts'
import { runCheck } from './check-runner.ts'
import { checkStart } from './check-start.ts'
import { commandLimits, type CommandTransportOptions } from './command.ts'
import { createCommandChannel } from './command-channel.ts'
import type { CommandSandbox } from './command-sandbox.ts'
import { commandStart } from './command-start.ts'

/** Runs commands as processes of this machine, in a sandbox where they must be confined. */
export function localCommands(options: CommandTransportOptions & Required<Pick<CommandTransportOptions, 'probe'>>): CommandWay {
  const { clock, environment, redactor, sandbox = {}, hidden = [], probe, ...given } = options
  const { readable = [], ...bounds } = sandbox
  const limits = { ...commandLimits, ...given }
  const { termToKillMs, drainLimitMs } = limits
  const sandboxHere = (): CommandSandbox | undefined => {
    const found = probe()
    return 'host' in found ? { host: found.host, limits: { ...sandboxLimits, ...bounds }, readable, hidden } : undefined
  }
  const common = { clock, drainLimitMs, sandbox: sandboxHere }
  return {
    async open(launch, { signal }) {
      signal.throwIfAborted()
      const start = commandStart({ storeId: launch.storeId, ...common })
      return createCommandChannel(launch, { clock, environment, redactor, limits, start })
    },
    check: (command, how) => runCheck({ clock, environment, redactor, termToKillMs, start: checkStart(common) }, command, how),
  }
}
