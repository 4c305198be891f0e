import { createRedactor, type KnownSecret, type Redactor } from './redactor.ts'

/** The secrets that the attempts of a fleet have, or had lately. */
export interface SecretsInUse {
  /** Knows some secrets from now on; gives a function that says that their attempt has ended. */
  use(secrets: readonly KnownSecret[]): () => void
  /** Redacts them; undefined while there are none. It is another one whenever a value came or went. */
  readonly redactor: Redactor | undefined
}

/** Values that nobody has any more stay known as long as so few others came after them: their attempt may still be heard of. */
const keptValues = 64

/** A value is known while an attempt has it, and after that until `keptValues` others have followed. */
export function createSecretsInUse(make: (secrets: readonly KnownSecret[]) => Redactor = createRedactor): SecretsInUse {
  /** By value; those without users in the order in which they lost their last. */
  const known = new Map<string, { readonly secret: KnownSecret; users: number }>()
  let redactor: Redactor | undefined

  const enter = (secret: KnownSecret): void => {
    const entry = known.get(secret.value)
    if (entry === undefined) {
      known.set(secret.value, { secret, users: 1 })
      redactor = undefined
    } else entry.users += 1
  }
  const leave = ({ value }: KnownSecret): void => {
    const entry = known.get(value)
    if (entry === undefined) return
    entry.users -= 1
    if (entry.users > 0) return
    known.delete(value)
    known.set(value, entry)
    const idle = [...known].filter(([, { users }]) => users === 0)
    for (const [forgotten] of idle.slice(0, Math.max(0, idle.length - keptValues))) {
      known.delete(forgotten)
      redactor = undefined
    }
  }

  return {
    use(secrets) {
      secrets.forEach(enter)
      let hasEnded = false
      return () => {
        if (!hasEnded) secrets.forEach(leave)
        hasEnded = true
      }
    },
    get redactor() {
      if (known.size > 0) redactor ??= make([...known.values()].map(({ secret }) => secret))
      return redactor
    },
  }
}
