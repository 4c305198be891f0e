import { containerArguments, containerLimits } from '../../security/container.ts'
import { childProcess } from '../child-process.ts'
import type { ContainerHost } from './container-client.ts'
import { initProblem } from './container-program.ts'

const patienceMs = 10_000

/**
 * Starts a container of an image that is there, as those of sandboxes are started, with a program that no image has: what the runtime puts before
 * it comes up, and nothing of the image runs. Gives why it does not come up; `untried` where there is no image. Blocks for about a second.
 */
export function tryContainer(host: ContainerHost): 'started' | 'untried' | { readonly failed: string } {
  const ask = (args: readonly string[]) =>
    childProcess().spawnSync(host.program, args, {
      env: host.environment,
      encoding: 'utf8',
      timeout: patienceMs,
      killSignal: 'SIGKILL',
    })
  const image = ask(['images', '--quiet', '--no-trunc']).stdout.split('\n')[0]?.trim() ?? ''
  if (image === '') return 'untried'
  const name = `flotilla-trial-${process.pid}`
  const none = { labels: {}, mounts: [], variables: {}, named: [], folder: undefined, filter: undefined, hasInput: false }
  const launch = { ...none, name, image, command: ['/flotilla/no-program'], replacesProgram: true, limits: containerLimits }
  const tried = ask(containerArguments({ ...launch, network: 'none', user: '65534:65534' }, host))
  ask(['rm', '--force', name])
  if (initProblem(tried.stderr) !== undefined) return 'started'
  if (tried.signal !== null) return { failed: `a container did not start within ${patienceMs / 1000} s` }
  return { failed: `a container does not start: ${tried.stderr.trim().split('\n').at(-1) || 'it gave no reason'}` }
}
