import { containerArguments } from '../../security/container.ts'
import { wordsProblem } from '../../security/container-words.ts'
import type { WorkerLauncher } from '../programs/worker-launcher.ts'
import { enforcementOf } from '../enforcement.ts'
import type { ContainerClient } from './container-client.ts'
import type { createImageKeeper } from './container-images.ts'
import { type ContainerOptions, termsOf } from './container-options.ts'
import { loadLaunched } from '../late.ts'

/**
 * Starts worker programs in containers (HO2). They see no file of the host: a program serves attempts that are not known when it starts, and what
 * was shown to it for one would be there for the next. So inputs, artifacts and evidence go over the connection.
 */
export function containerLauncher(options: ContainerOptions & { readonly args: readonly string[] }): WorkerLauncher {
  const { clock, image, args, pull = 'missing' } = options
  const terms = termsOf(options)
  let client: ContainerClient | undefined
  let fetch: ReturnType<typeof createImageKeeper> | undefined
  let number = 0
  let served: string | undefined
  /** What an earlier incarnation left must be gone before this one begins. */
  let reaped: Promise<void> | undefined
  const required = async (): Promise<ContainerClient> => {
    const { createContainerClient } = await loadLaunched()
    const probed = options.probe()
    if ('missing' in probed) throw new Error(`No containers can be run here: ${probed.missing}.`)
    return (client ??= createContainerClient(probed.host, clock))
  }
  return {
    kind: 'docker',
    get enforces() {
      return enforcementOf(options.probe())
    },
    sharesFiles: false,
    async start({ launch, confined, log, signal }) {
      const { containerName, createImageKeeper, fleetUser, labelsOf, nobody, reapContainers, startWorkerProgram } =
        await loadLaunched()
      const there = await required()
      const problem = wordsProblem(args)
      if (problem !== undefined) throw new Error(`The worker program of ${image} cannot be started: ${problem}.`)
      fetch ??= createImageKeeper(there, image, pull)
      const unfetched = await fetch(signal)
      if (unfetched !== undefined) throw new Error(`The worker program cannot be started: ${unfetched}.`)
      const { storeId, workerId: worker, incarnation } = launch
      if (served !== incarnation) reaped = reapContainers(there, { storeId, worker })
      served = incarnation
      await reaped
      signal.throwIfAborted()
      const owner = { storeId, worker, incarnation, kind: 'worker', number: (number += 1) } as const
      const name = containerName(owner)
      // It works on nothing of this machine, so it need only not be root.
      const { uid, gid } = terms.user ?? fleetUser() ?? nobody
      const planned = {
        ...{ name, labels: labelsOf(owner), image, command: args, replacesProgram: false },
        network: confined?.network === false ? 'none' : terms.network,
        user: `${uid}:${gid}`,
        folder: undefined,
        mounts: terms.readable.map((path) => ({ source: path, target: path, writable: false })),
        filter: undefined,
        variables: {
          ...{ FLOTILLA_STORE: storeId, FLOTILLA_WORKER: worker, FLOTILLA_INCARNATION: incarnation },
          ...{ HOME: '/tmp', TMPDIR: '/tmp' },
        },
        named: [],
        hasInput: true,
        limits: terms.limits,
      }
      const { program, environment } = there.host
      return startWorkerProgram({
        launch: { program, args: containerArguments(planned, there.host), cwd: '/', environment },
        clock,
        log,
        // The end of the client leaves the container running.
        sweep: async () => void (await there.remove(name)),
      })
    },
    async reap({ storeId }) {
      const { reapContainers } = await loadLaunched()
      await reapContainers(await required(), { storeId })
    },
  }
}
