import { relativeProblem } from '../protocol/path-text.ts'
import type { FleetCapabilityGrant, FleetSecurityPolicy, FleetTrustLevel } from '../protocol/security.ts'
import { mayUseNetwork, mayWriteWorkspace } from '../protocol/security.ts'

/** What a run's policy adds to what trust levels give (SE4). */
export interface Grants {
  readonly network: boolean
  /** Paths in the workspace root, without a dot or a slash too many; `.` for all of it. */
  readonly writes: readonly string[]
}

interface Capability {
  /** Whether the highest level that the policy allows has it: a grant goes no further. */
  readonly isWithin: (ceiling: FleetTrustLevel) => boolean
  /** Why a scope cannot be enforced; undefined when it can. */
  readonly scopeProblem: (scope: string) => string | undefined
}

/** What can be granted. */
const capabilities: Readonly<Record<string, Capability>> = {
  network: {
    isWithin: mayUseNetwork,
    scopeProblem: () => 'nothing here can hold work to some hosts; grant the network without a scope, or not at all',
  },
  'workspace-write': {
    isWithin: mayWriteWorkspace,
    scopeProblem(scope) {
      const problem = relativeProblem(scope)
      return problem === undefined ? undefined : `it is a path in the workspace that ${problem}`
    },
  },
}

/** Everything that is wrong with the grants of a policy, each with its path (SE4). */
export function grantProblems(
  policy: Pick<FleetSecurityPolicy, 'capability_grants' | 'max_trust_level'>,
): readonly { readonly path: string; readonly reason: string }[] {
  return policy.capability_grants.flatMap((grant, index) => {
    const under = `security_policy.capability_grants[${index}]`
    const capability = Object.hasOwn(capabilities, grant.capability) ? capabilities[grant.capability] : undefined
    if (capability === undefined) {
      const known = Object.keys(capabilities).join(' and ')
      return [
        { path: `${under}.capability`, reason: `nothing here can grant ${JSON.stringify(grant.capability)}; there are ${known}` },
      ]
    }
    const scope = grant.scope === undefined ? undefined : capability.scopeProblem(grant.scope)
    const beyond = !capability.isWithin(policy.max_trust_level)
    return [
      ...(scope === undefined
        ? []
        : [{ path: `${under}.scope`, reason: `this scope of ${grant.capability} is refused: ${scope}` }]),
      ...(beyond
        ? [{ path: under, reason: `${grant.capability} is more than the max_trust_level ${policy.max_trust_level} may have` }]
        : []),
    ]
  })
}

/** What a policy grants; `grantProblems` found nothing wrong with it. */
export function grantsOf(policy: Pick<FleetSecurityPolicy, 'capability_grants'> | undefined): Grants {
  const grants = policy?.capability_grants ?? []
  const of = (name: string): readonly FleetCapabilityGrant[] => grants.filter(({ capability }) => capability === name)
  return { network: of('network').length > 0, writes: of('workspace-write').map(({ scope = '.' }) => normal(scope)) }
}

/** Whether all of these paths of the workspace may be written. */
export function coversWrites(grants: Grants, paths: readonly string[]): boolean {
  return paths.every((path) =>
    grants.writes.some((granted) => granted === '.' || normal(path) === granted || normal(path).startsWith(`${granted}/`)),
  )
}

function normal(path: string): string {
  const parts = path.split('/').filter((part) => part !== '' && part !== '.')
  return parts.length === 0 ? '.' : parts.join('/')
}
