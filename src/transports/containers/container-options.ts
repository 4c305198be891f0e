import type { Clock } from '../../ports/clock.ts'
import { type ContainerLimits, containerLimits } from '../../security/container.ts'
import type { Redactor } from '../../security/redactor.ts'
import type { CommandLimits } from '../commands/command-attempt.ts'
import type { PullPolicy } from './container-images.ts'
import type { ContainerProbe } from './container-probe.ts'
import type { ContainerTerms } from './container-run.ts'

/** How containers are run, whatever their image. */
export interface ContainerSettings {
  /** The network of what may use one: the name of one of the runtime's own. Default: the one that containers get anyway. */
  readonly network?: string
  /** When the image is fetched. Default: `missing`. */
  readonly pull?: PullPolicy
  /** `uid:gid`. Default: the fleet's own, or, where that is root, whoever owns the workspace root, and nobody where that is root too. */
  readonly user?: string
  /** Absolute paths of this machine that every container is shown, to be read: programs that the image does not have. */
  readonly readable?: readonly string[]
  /** Bounds of each container. */
  readonly bounds?: Partial<ContainerLimits>
}

/** What transports over containers take. */
export interface ContainerOptions extends ContainerSettings, Partial<CommandLimits> {
  readonly image: string
  readonly clock: Clock
  /** What this machine has for containers; asked whenever that matters, so whoever looks keeps the answer. */
  readonly probe: () => ContainerProbe
  /** Folders that no container is shown although its workspace holds them: the store. */
  readonly hidden?: readonly string[]
  /** Covers the secrets that are in use, before any output is cut; asked anew for each attempt. Default: the fleet covers them alone. */
  readonly redactor?: (() => Redactor | undefined) | undefined
  /** How long a runtime may take to start a container that has its image, in milliseconds. Default 30,000. */
  readonly startLimitMs?: number
}

export function termsOf({
  image,
  network,
  user,
  readable = [],
  bounds,
}: ContainerSettings & { readonly image: string }): ContainerTerms {
  const [uid, gid] = (user ?? '').split(':').map(Number)
  return {
    ...{ image, network, readable },
    user: uid === undefined || gid === undefined ? undefined : { uid, gid },
    limits: { ...containerLimits, ...bounds },
  }
}
