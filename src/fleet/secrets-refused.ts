import type { Secrets } from '../ports/secrets.ts'
import type { FleetRunSpec } from '../protocol/run-spec.ts'
import { type FleetSecretRef, formatSecretRef, mayAccessSecrets } from '../protocol/security.ts'
import { variableProblem } from '../security/secret-names.ts'
import type { Refusal } from './acceptance.ts'

/** Secrets that could never be handed over (SE5): no source knows them, two have one key, a command could not get them, or nobody may. */
export function secretsRefused(run: FleetRunSpec, secrets: Pick<Secrets, 'unresolvable'>): Refusal[] {
  const refs = run.security_policy?.allowed_secrets ?? []
  if (refs.length === 0) return []
  const commands = run.tasks.find((task) => task.metadata['command'] !== undefined)
  const keys = new Set<string>()
  const refusals = refs.flatMap((ref, index) => {
    const again = keys.has(ref.key)
    keys.add(ref.key)
    const under = `security_policy.allowed_secrets[${index}]`
    return problemsOf(ref, { again, secrets, command: commands?.id }).map(({ field, reason }) => ({
      path: `${under}.${field}`,
      reason,
    }))
  })
  const most = run.security_policy?.max_trust_level ?? 'operator'
  if (mayAccessSecrets(most)) return refusals
  return [
    ...refusals,
    {
      path: 'security_policy.allowed_secrets',
      reason: `at ${most}, the highest level that the policy allows, nobody may have them`,
    },
  ]
}

function problemsOf(
  ref: FleetSecretRef,
  about: { readonly again: boolean; readonly secrets: Pick<Secrets, 'unresolvable'>; readonly command: string | undefined },
): { readonly field: 'key' | 'source'; readonly reason: string }[] {
  const told = formatSecretRef(ref)
  const unresolvable = about.secrets.unresolvable(ref)
  const unusable = about.command === undefined ? undefined : variableProblem(ref.key)
  return [
    ...(unresolvable === undefined
      ? []
      : [{ field: ref.source === undefined ? 'key' : 'source', reason: `${told}: ${unresolvable}` } as const]),
    ...(about.again
      ? [{ field: 'key', reason: `${told}: another one has this key, and they are handed over by key` } as const]
      : []),
    ...(unusable === undefined
      ? []
      : [{ field: 'key', reason: `${told} ${unusable}, and the task ${about.command} is a command` } as const]),
  ]
}
