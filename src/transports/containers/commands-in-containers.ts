import type { CommandWay } from '../command-way.ts'
import { runCheck, type CheckStart } from '../commands/check-runner.ts'
import { commandLimits } from '../commands/command.ts'
import type { CommandLimits } from '../commands/command-attempt.ts'
import { createCommandChannel } from '../commands/command-channel.ts'
import { inputPath } from '../commands/command-launch.ts'
import { finalFailure, hostFailure } from '../commands/command-outcome.ts'
import { createContainerClient, reapContainers } from './container-client.ts'
import { createImageKeeper } from './container-images.ts'
import { type ContainerOptions, termsOf } from './container-options.ts'
import { type ContainerParts, type NotRun, runInContainer } from './container-run.ts'
import { removeMemoryFolders } from './memory-folder.ts'

/** Runs each command in a container of its own. */
export function commandsInContainers(
  options: ContainerOptions,
): CommandWay & { /** Removes what earlier fleets of a store left. */ reap(storeId: string): Promise<void> } {
  const { clock, redactor, hidden = [], image, pull = 'missing', startLimitMs = 30_000 } = options
  const bounds = limitsOf(options)
  const terms = termsOf(options)
  let parts: ContainerParts | undefined
  const required = (): ContainerParts => {
    if (parts !== undefined) return parts
    const probed = options.probe()
    if ('missing' in probed) throw new Error(`No containers can be run here: ${probed.missing}.`)
    const client = createContainerClient(probed.host, clock)
    const { drainLimitMs } = bounds
    return (parts = { terms, client, clock, startLimitMs, drainLimitMs, fetch: createImageKeeper(client, image, pull) })
  }
  // What a container finds is the image's, but for what the task names.
  const nothing = { get: () => undefined }
  let number = 0
  return {
    check(checked, how) {
      const start: CheckStart = async ({ command, input, launch, signal, output }) => {
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
      }
      return runCheck({ clock, redactor, termToKillMs: bounds.termToKillMs, environment: nothing, start }, checked, how)
    },
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
    async reap(storeId) {
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
