import { systemClock } from '../../src/host/clock.ts'
import { systemEnvironment } from '../../src/host/environment.ts'
import type { FleetTrustLevel } from '../../src/protocol/security.ts'
import { sandboxLimits } from '../../src/security/sandbox.ts'
import type { SandboxLimits } from '../../src/security/sandbox.ts'
import { judgedCalls, newestCall, refusedCalls } from '../../src/security/seccomp/system-calls.ts'
import { controlsOf, neededControls } from '../../src/security/trust.ts'
import type { Control } from '../../src/security/trust.ts'
import { commandTransport } from '../../src/transports/commands/command.ts'
import { inProcessTransport } from '../../src/transports/in-process.ts'
import { handlerWorker } from '../../src/worker/handler-worker.ts'
import { someHost } from '../../test/fixtures/sandbox.ts'

const clock = systemClock()
const commands = { clock, environment: systemEnvironment() }

/** Every kind of host that this version has, as its transport describes itself. */
const hosts = {
  'a function of this process': inProcessTransport({ worker: handlerWorker({ clock, handlers: [] }), clock }),
  'a command, with bubblewrap': commandTransport({ ...commands, probe: () => ({ host: someHost }) }),
  'a command, without it': commandTransport({ ...commands, probe: () => ({ missing: 'not installed' }) }),
}

const words: Readonly<Record<Control, string>> = {
  network: 'the network',
  fileWrites: 'files beside its own folder',
  environment: 'the fleet’s environment',
  processes: 'other processes',
}

/** Levels × controls × hosts: what is kept from the work, what is open to it, and where it is not run. */
function levelTable(): string {
  const levels = Object.keys(controlsOf) as FleetTrustLevel[]
  const rows = levels.flatMap((level) =>
    (Object.keys(words) as Control[]).map((control) => {
      const needed = neededControls(level, { network: false, writes: [] })
      const cells = Object.values(hosts).map(({ enforces }) => {
        if (needed.length === 0) return 'open'
        return needed.every((one) => enforces[one]) ? 'kept from it' : 'refused'
      })
      return `| \`${level}\` | ${words[control]} | ${cells.join(' | ')} |`
    }),
  )
  const names = Object.keys(hosts)
  return [`| level | what | ${names.join(' | ')} |`, `|---|---|${names.map(() => '---|').join('')}`, ...rows].join('\n')
}

const limitWords: Readonly<Record<keyof SandboxLimits, string>> = {
  processes: 'processes and threads at a time',
  memoryBytes: 'memory of one process; four times as much address space',
  fileBytes: 'one file',
  folderBytes: 'the attempt’s folder, which lies in memory while the command runs',
  temporaryBytes: '`/tmp`, and as much again `/dev/shm`',
}

function limitTable(): string {
  const rows = (Object.entries(sandboxLimits) as [keyof SandboxLimits, number][]).map(
    ([name, value]) => `| \`${name}\` | ${limitWords[name]} | ${name === 'processes' ? value : `${value / 1024 ** 2} MiB`} |`,
  )
  return ['| option | bounds | default |', '|---|---|---|', ...rows].join('\n')
}

function callTable(): string {
  const rows = refusedCalls.map(({ because, calls }) => {
    const names = Object.keys(calls).map((name) => `\`${name}\``)
    return `| ${because} | ${names.join(' ')} |`
  })
  const judged = Object.keys(judgedCalls).map((name) => `\`${name}\``)
  return [
    '| why | system calls |',
    '|---|---|',
    ...rows,
    `| they are judged by an argument | ${judged.join(' ')} |`,
    `| nobody has looked at them yet | all above number ${newestCall} |`,
  ].join('\n')
}

/** The parts of the document on security that are made from the code. */
export function securitySections(): Readonly<Record<string, string>> {
  return { levels: levelTable(), limits: limitTable(), calls: callTable() }
}
