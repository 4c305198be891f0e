import type { FleetEnvironmentRequirements } from '../protocol/task.ts'
import type { Environment } from '../ports/environment.ts'
import { secretLikeName } from './secret-like.ts'

/** What is wrong with a task's wishes for its environment, whatever is set: to be refused at creation (WS3). One sentence each. */
export function environmentProblems(requirements: FleetEnvironmentRequirements | undefined): readonly string[] {
  return (requirements?.allowlist ?? [])
    .filter(secretLikeName)
    .map((name) => `workspace.environment.allowlist names ${name}, which looks like a secret. Grant it as a secret instead.`)
}

/** Names that must be set and are not (WS3). One sentence each. */
export function unsetProblems(
  requirements: FleetEnvironmentRequirements | undefined,
  environment: Environment,
): readonly string[] {
  return (requirements?.required ?? [])
    .filter((name) => environment.get(name) === undefined)
    .map((name) => `The environment variable ${name} is required, and not set.`)
}

/** The values that a task's processes get: the names that it allows or requires, as far as they are set and do not look like secrets. */
export function grantedValues(
  requirements: FleetEnvironmentRequirements | undefined,
  environment: Environment,
): Readonly<Record<string, string>> {
  const names = [...(requirements?.required ?? []), ...(requirements?.allowlist ?? [])].filter((name) => !secretLikeName(name))
  const values = names.flatMap((name) => {
    const value = environment.get(name)
    return value === undefined ? [] : [[name, value] as const]
  })
  return Object.fromEntries(values)
}
