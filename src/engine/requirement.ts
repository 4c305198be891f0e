import type { FleetRunTarget } from '../protocol/run.ts'
import type { FleetTrustLevel } from '../protocol/security.ts'
import { lowerTrust } from '../protocol/security.ts'
import type { FleetTaskSpec } from '../protocol/task.ts'
import { coversWrites, grantsOf } from '../security/grants.ts'
import type { Grants } from '../security/grants.ts'
import { neededControls } from '../security/trust.ts'
import type { RunHeader } from './run-header.ts'
import type { WorkerFacts } from './worker-facts.ts'

/** What a task asks of its worker. Tasks with equal requirements share a queue (SC8). */
export interface Requirement {
  /** Equal for equal requirements. */
  readonly key: string
  readonly handler?: string
  readonly command: boolean
  /** Its scorer is a command, which runs on the worker's host (VE3). */
  readonly checks: boolean
  readonly capabilities: readonly string[]
  readonly role?: string
  readonly target?: FleetRunTarget
  readonly policyTrust: FleetTrustLevel
  readonly maxTrust: FleetTrustLevel
  /** A worker elsewhere must have proved who it is (SE1). */
  readonly verified: boolean
  readonly grants: Grants
  /** It wants to write more of the workspace than is granted (WS4, SE4). */
  readonly wantsUngranted: boolean
  /** Ids of the run's own workers, when it names some; then no other worker serves it. */
  readonly workers?: readonly string[]
}

/** The requirements of one run's tasks; tasks that ask for the same share one. */
export interface Requirements {
  of(spec: FleetTaskSpec): Requirement
}

export function createRequirements(run: Pick<RunHeader, 'worker_specs' | 'security_policy' | 'target'>): Requirements {
  /** By handler, of tasks that ask for nothing else: most do not. */
  const plain = new Map<string | undefined, Requirement>()
  const known = new Map<string, Requirement>()

  function shared(spec: FleetTaskSpec): Requirement {
    const made = requirementOf(spec, run)
    const before = known.get(made.key)
    if (before === undefined) known.set(made.key, made)
    return before ?? made
  }

  return {
    of(spec) {
      if (spec.worker !== undefined || spec.metadata['command'] !== undefined || writesOf(spec).length > 0 || isChecked(spec))
        return shared(spec)
      let requirement = plain.get(spec.handler)
      if (requirement === undefined) plain.set(spec.handler, (requirement = shared(spec)))
      return requirement
    },
  }
}

/** The requirement of a task within its run. */
function requirementOf(spec: FleetTaskSpec, run: Pick<RunHeader, 'worker_specs' | 'security_policy' | 'target'>): Requirement {
  const workers = run.worker_specs.length > 0 ? run.worker_specs.map((worker) => worker.id) : undefined
  const grants = grantsOf(run.security_policy)
  const facts = {
    handler: spec.handler,
    command: spec.metadata['command'] !== undefined,
    checks: isChecked(spec),
    capabilities: [...(spec.worker?.capabilities ?? [])].sort(),
    role: spec.worker?.role,
    target: run.target,
    policyTrust: run.security_policy?.default_trust_level ?? 'sandbox',
    maxTrust: lowerTrust(run.security_policy?.max_trust_level ?? 'operator', spec.worker?.trust_level ?? 'operator'),
    verified: run.security_policy?.require_identity_verification ?? false,
    grants,
    wantsUngranted: !coversWrites(grants, writesOf(spec)),
    workers,
  }
  return { key: JSON.stringify(facts), ...facts }
}

function isChecked({ scorer }: FleetTaskSpec): boolean {
  return scorer?.kind === 'command'
}

function writesOf(spec: FleetTaskSpec): readonly string[] {
  return spec.workspace?.writable_paths ?? []
}

/** Why a worker cannot take tasks of a requirement, one phrase per reason; empty when it can (SC3, SE2). */
export function mismatches(requirement: Requirement, worker: WorkerFacts): string[] {
  return [...misfits(requirement, worker), ...unenforceable(requirement, worker)]
}

/** What speaks against a worker but for what it cannot enforce. */
export function misfits(requirement: Requirement, worker: WorkerFacts): string[] {
  const reasons: string[] = []
  if (requirement.workers !== undefined && !requirement.workers.includes(worker.id))
    reasons.push('is not among the run’s workers')
  if (requirement.handler !== undefined && !worker.serves.handlers.includes(requirement.handler)) {
    reasons.push(`does not serve the handler ${requirement.handler}`)
  }
  if (requirement.command && !worker.serves.commands) reasons.push('does not run commands')
  if (requirement.handler === undefined && !requirement.command && !worker.serves.plain) {
    reasons.push('serves only tasks that name a handler or a command')
  }
  const missing = requirement.capabilities.filter((capability) => !worker.capabilities.includes(capability))
  if (missing.length > 0)
    reasons.push(`lacks ${missing.length === 1 ? 'the capability' : 'the capabilities'} ${missing.join(', ')}`)
  if (requirement.role !== undefined && worker.roles.length > 0 && !worker.roles.includes(requirement.role)) {
    reasons.push(`does not serve the role ${requirement.role}`)
  }
  if (requirement.checks && worker.checks === undefined) reasons.push('cannot run the command of its scorer on its host')
  if (requirement.target === 'this_computer' && worker.host !== 'local') reasons.push('is not on this computer')
  if (requirement.target === 'another_computer' && worker.host === 'local') reasons.push('is not on another computer')
  return reasons
}

/** What a lease would need at its level and the worker cannot enforce, or may not give (SE2, SE4). */
export function unenforceable(requirement: Requirement, worker: WorkerFacts): string[] {
  const level = effectiveTrust(requirement, worker)
  const needed = neededControls(level, requirement.grants)
  if (needed.length === 0) return []
  if (!isEnforced(requirement, worker)) {
    if (worker.runsUnenforced) return []
    const { because } = worker.enforces
    return [`cannot enforce the trust level ${level}${because === undefined ? '' : `: ${because}`}`]
  }
  const checks = requirement.checks ? worker.checks?.enforces : undefined
  if (checks !== undefined && !needed.every((control) => checks[control])) {
    const { because } = checks
    return [`cannot enforce the trust level ${level} on the command of its scorer${because === undefined ? '' : `: ${because}`}`]
  }
  return requirement.wantsUngranted
    ? [`may not let it write its writable_paths at the trust level ${level}: grant workspace-write for them`]
    : []
}

/** Whether a worker can enforce all that a lease needs at its level. */
export function isEnforced(requirement: Requirement, worker: WorkerFacts): boolean {
  return neededControls(effectiveTrust(requirement, worker), requirement.grants).every((control) => worker.enforces[control])
}

/** The trust level that a lease runs at: the worker's own, else the policy's default, cut to the ceiling (SE1). */
export function effectiveTrust(requirement: Requirement, worker: WorkerFacts): FleetTrustLevel {
  if (requirement.verified && worker.host !== 'local' && !worker.verified) return 'sandbox'
  return lowerTrust(worker.trust ?? requirement.policyTrust, requirement.maxTrust)
}
