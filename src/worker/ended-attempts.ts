/** How many are remembered; the oldest go first. */
const remembered = 1_000

/** Names of attempts that have ended, so that a repeated message does not begin one again (LE1). */
export function createEndedAttempts(): { add(name: string): void; has(name: string): boolean } {
  const names = new Set<string>()
  return {
    add(name) {
      names.add(name)
      if (names.size > remembered) names.delete(String(names.values().next().value))
    },
    has: (name) => names.has(name),
  }
}
