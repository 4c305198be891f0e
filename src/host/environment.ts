import type { Environment } from '../ports/environment.ts'

/** The environment variables of this process, read at each call. */
export function systemEnvironment(): Environment {
  return { get: (name) => process.env[name] }
}
