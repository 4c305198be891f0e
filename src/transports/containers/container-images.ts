import type { ContainerClient } from './container-client.ts'

/** When an image is fetched: when it is not there, never, or before the first start of each worker. */
export type PullPolicy = 'missing' | 'never' | 'always'

/** A registry that is slower than this is given up. */
const pullLimitMs = 10 * 60_000

/** Sees to it that an image is there. Gives why it is not; asks again after a failure, and not after a success. */
export function createImageKeeper(
  client: ContainerClient,
  image: string,
  policy: PullPolicy,
): (signal: AbortSignal) => Promise<string | undefined> {
  let isThere = false
  return async (signal) => {
    if (isThere) return undefined
    if (policy !== 'always' && (await client.hasImage(image))) {
      isThere = true
      return undefined
    }
    if (policy === 'never') return `the image ${image} is not on this machine, and is not to be fetched`
    const problem = await client.pull(image, { limitMs: pullLimitMs, signal })
    isThere = problem === undefined
    return problem === undefined ? undefined : `the image ${image} cannot be fetched: ${problem}`
  }
}
