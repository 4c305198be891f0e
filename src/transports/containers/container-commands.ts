import type { Enforcement, Transport } from '../../ports/transport.ts'
import { createCheckRunner } from '../commands/check-runner.ts'
import type { CommandLimits } from '../commands/command-attempt.ts'
import { createCommandChannel } from '../commands/command-channel.ts'
import { commandLimits } from '../commands/command.ts'
import { finalFailure, hostFailure } from '../commands/command-outcome.ts'
import { inputPath } from '../commands/command-launch.ts'
import { createContainerClient, reapContainers } from './container-client.ts'
import { createImageKeeper } from './container-images.ts'
import type { ContainerOptions } from './container-options.ts'
import { termsOf } from './container-options.ts'
import { type ContainerParts, type NotRun, runInContainer } from './container-run.ts'
import { removeMemoryFolders } from './memory-folder.ts'

/**
 * Runs `metadata.command` of tasks as `commandTransport` does, each in a container of its own: without a shell, in the task's workspace
 * root, which it sees under its own path, with no variables but its own and those of the image.
 *
 * - Every container has no rights, a user that is not root, a file system that cannot be written, and bounds of processes, memory and sizes. It
 *   writes the attempt's folder, and of the workspace what the task's `writable_paths` or, where it must be confined, what was granted (WS4).
 * - What must be confined has no network, and its folder lies in memory while it runs (SE3).
 * - It is asked to end, and killed, by its name; `reap` removes what an earlier fleet left behind (HO5, LE6).
 */
export function containerCommands(options: ContainerOptions): Transport & Required<Pick<Transport, 'checks'>> {
  const { clock, redactor, hidden = [], image, pull = 'missing', startLimitMs = 30_000 } = options
  const bounds = limitsOf(options)
  const terms = termsOf(options)
  let parts: ContainerParts | undefined
  /** Undefined: no runtime answers here. */
  const available = (): ContainerParts | undefined => {
    const probed = options.probe()
    if (parts !== undefined || !('host' in probed)) return parts
    const client = createContainerClient(probed.host, clock)
    const { drainLimitMs } = bounds
    return (parts = { terms, client, clock, startLimitMs, drainLimitMs, fetch: createImageKeeper(client, image, pull) })
  }
  const required = (): ContainerParts => {
    const there = available()
    const probed = options.probe()
    if (there === undefined) throw new Error(`No containers can be run here: ${'missing' in probed ? probed.missing : ''}.`)
    return there
  }
  const enforces = (): Enforcement => {
    const isThere = available() !== undefined
    const all = { network: isThere, fileWrites: isThere, environment: isThere, processes: isThere }
    const probed = options.probe()
    return 'missing' in probed ? { ...all, because: probed.missing } : all
  }
  // What a container finds is the image's, but for what the task names.
  const nothing = { get: () => undefined }
  let number = 0
  return {
    kind: 'docker',
    get enforces() {
      return enforces()
    },
    heartbeats: 'fleet',
    startsAtOnce: false,
    survives: false,
    serves: { handlers: [], commands: true, plain: false },
    checks: createCheckRunner({
      ...{ clock, enforces, redactor, termToKillMs: bounds.termToKillMs, environment: nothing },
      async start({ command, input, launch, signal, output }) {
        const { key, storeId, worker, root, folder, confined, writablePaths = [] } = command
        const { stdout, stderr } = output
        const started = await runInContainer(
          {
            owner: { storeId, worker, incarnation: 'checks', kind: 'check', number: (number += 1), key },
            place: { storeId, root, folder, input, readsArtifacts: true, confined, writablePaths, hidden },
            ...{ launch, named: Object.keys(command.environment), secrets: {}, signal, stdout, stderr },
          },
          required(),
        )
        return 'ended' in started ? started : { problem: `${launch.program} cannot run in a container: ${told(started)}.` }
      },
    }),
    async open(launch, { signal }) {
      signal.throwIfAborted()
      const { storeId, workerId: worker, incarnation } = launch
      const there = required()
      // What an earlier incarnation left must be gone before this one begins.
      await reapContainers(there.client, { storeId, worker })
      signal.throwIfAborted()
      return createCommandChannel(launch, {
        ...{ clock, environment: nothing, redactor, limits: bounds },
        async start({ assign, launch: planned, signal: stopped, output }) {
          const { root, folder, confined, secrets = {}, run_id, task_id, attempt } = assign
          const { stdout, stderr } = output
          const key = { run_id, task_id, attempt }
          const isSecret = (name: string) => Object.hasOwn(secrets, name)
          const open = Object.fromEntries(Object.entries(planned.environment).filter(([name]) => !isSecret(name)))
          const writablePaths = assign.task.workspace?.writable_paths ?? []
          const started = await runInContainer(
            {
              owner: { storeId, worker, incarnation, kind: 'attempt', number: (number += 1), key },
              place: {
                ...{ storeId, root, folder, confined, writablePaths, hidden },
                input: inputPath(folder),
                readsArtifacts: false,
              },
              launch: { ...planned, environment: open },
              ...{ named: Object.keys(assign.environment).filter((name) => !isSecret(name)), secrets },
              ...{ signal: stopped, stdout, stderr },
            },
            there,
          )
          if ('ended' in started) return started
          const reason = `cannot run ${planned.program} in a container of ${image}: ${told(started)}`
          return 'unstarted' in started ? hostFailure(new Error(reason)) : finalFailure(reason)
        },
      })
    },
    async reap({ storeId }) {
      await reapContainers(required().client, { storeId })
      await removeMemoryFolders(storeId)
    },
  }
}

function limitsOf(options: Partial<CommandLimits>): CommandLimits {
  const { termToKillMs, drainLimitMs, lineLimit, unreadLimit, artifactLimit } = { ...commandLimits, ...options }
  return { termToKillMs, drainLimitMs, lineLimit, unreadLimit, artifactLimit }
}

function told(why: NotRun): string {
  return 'problem' in why ? why.problem : why.unstarted
}
