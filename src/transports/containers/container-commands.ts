import type { Transport } from '../../ports/transport.ts'
import type { CheckStart } from '../commands/check-runner.ts'
import type { CommandLimits } from '../commands/command-attempt.ts'
import { commandLimits } from '../commands/command.ts'
import { commandFacts, enforcementOf } from '../transport-facts.ts'
import type { ContainerOptions } from './container-options.ts'
import { termsOf } from './container-options.ts'
import type { ContainerParts, NotRun } from './container-run.ts'

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
  const required = async (): Promise<ContainerParts> => {
    const { createContainerClient, createImageKeeper } = await import('../launched.ts')
    const probed = options.probe()
    if ('missing' in probed) throw new Error(`No containers can be run here: ${probed.missing}.`)
    const client = parts?.client ?? createContainerClient(probed.host, clock)
    const { drainLimitMs } = bounds
    return (parts ??= { terms, client, clock, startLimitMs, drainLimitMs, fetch: createImageKeeper(client, image, pull) })
  }
  // What a container finds is the image's, but for what the task names.
  const nothing = { get: () => undefined }
  let number = 0
  return {
    ...commandFacts('docker'),
    get enforces() {
      return enforcementOf(options.probe())
    },
    checks: {
      get enforces() {
        return enforcementOf(options.probe())
      },
      async run(checked, how) {
        const { runCheck, runInContainer } = await import('../launched.ts')
        const start: CheckStart = async ({ command, input, launch, signal, output }) => {
          const { key, storeId, worker, root, folder, confined, writablePaths = [] } = command
          const { stdout, stderr } = output
          const started = await runInContainer(
            {
              owner: { storeId, worker, incarnation: 'checks', kind: 'check', number: (number += 1), key },
              place: { storeId, root, folder, input, readsArtifacts: true, confined, writablePaths, hidden },
              ...{ launch, named: Object.keys(command.environment), secrets: {}, signal, stdout, stderr },
            },
            await required(),
          )
          return 'ended' in started ? started : { problem: `${launch.program} cannot run in a container: ${told(started)}.` }
        }
        return runCheck({ clock, redactor, termToKillMs: bounds.termToKillMs, environment: nothing, start }, checked, how)
      },
    },
    async open(launch, { signal }) {
      const { createCommandChannel, finalFailure, hostFailure, inputPath, reapContainers, runInContainer } =
        await import('../launched.ts')
      signal.throwIfAborted()
      const { storeId, workerId: worker, incarnation } = launch
      const there = await required()
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
      const { reapContainers, removeMemoryFolders } = await import('../launched.ts')
      await reapContainers((await required()).client, { storeId })
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
