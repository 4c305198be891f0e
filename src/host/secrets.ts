import { FleetError } from '../protocol/errors.ts'
import { type FleetSecretRef, formatSecretRef } from '../protocol/security.ts'
import type { Secrets, SecretSource } from '../ports/secrets.ts'

/** Composes sources in order. `problemOf` says why a value cannot be a secret, as the end of a sentence that does not hold it. */
export function createSecrets(
  sources: readonly SecretSource[],
  { problemOf }: { readonly problemOf: (value: string) => string | undefined },
): Secrets {
  const asked = ({ source }: FleetSecretRef): readonly SecretSource[] =>
    source === undefined ? sources : sources.filter((one) => one.source === source)

  const unresolvable = (ref: FleetSecretRef): string | undefined => {
    if (asked(ref).length > 0) return undefined
    if (ref.source === undefined) return 'no source of secrets is given; pass `secrets` to the fleet'
    return `no source ${JSON.stringify(ref.source)} is given; pass one in \`secrets\`${sources.length === 0 ? '' : `, or name ${namesOf(sources)}`}`
  }

  const valueOf = async (ref: FleetSecretRef, signal: AbortSignal): Promise<string> => {
    const missing = unresolvable(ref)
    if (missing !== undefined) throw unresolved(`${missing}.`)
    for (const source of asked(ref)) {
      const value = await unlessAborted(askSource(source, ref.key, signal), signal)
      if (value === undefined) continue
      const problem = problemOf(value)
      if (problem !== undefined) throw unresolved(`its value ${problem}.`)
      return value
    }
    throw unresolved(`it is not in ${namesOf(asked(ref))}.`)
  }

  return {
    unresolvable,
    async resolve(refs, { signal }) {
      const found = await Promise.allSettled(refs.map((ref) => valueOf(ref, signal)))
      const problems = found.flatMap((one, index) => {
        const ref = refs[index]
        if (one.status === 'fulfilled' || ref === undefined) return []
        return [`The secret ${formatSecretRef(ref)} cannot be resolved: ${wordsOf(one.reason)}`]
      })
      if (problems.length > 0) return { problems }
      const values = found.map((one, index) => [refs[index]?.key ?? '', one.status === 'fulfilled' ? one.value : ''] as const)
      return { values: Object.fromEntries(values) }
    },
  }
}

async function askSource(source: SecretSource, key: string, signal: AbortSignal): Promise<string | undefined> {
  const value: unknown = await source.resolve(key, { signal })
  if (value === undefined || typeof value === 'string') return value
  throw unresolved(`the source ${source.source} gave no text.`)
}

/** A source that does not heed the signal is not waited for. */
function unlessAborted<Value>(asked: Promise<Value>, signal: AbortSignal): Promise<Value> {
  return new Promise((resolve, reject) => {
    const giveUp = (): void => reject(unresolved('it took too long.'))
    if (signal.aborted) giveUp()
    signal.addEventListener('abort', giveUp, { once: true })
    asked.then(resolve, reject).finally(() => signal.removeEventListener('abort', giveUp))
  })
}

/** What another library throws may hold anything: only its kind is told. */
function wordsOf(thrown: unknown): string {
  if (FleetError.is(thrown, 'secret_unresolved')) return thrown.message
  const name = thrown instanceof Error && /^[A-Za-z]{1,64}$/.test(thrown.name) ? thrown.name : 'something'
  return `its source threw ${name}.`
}

function unresolved(message: string): FleetError {
  return new FleetError('secret_unresolved', message)
}

function namesOf(sources: readonly SecretSource[]): string {
  return [...new Set(sources.map(({ source }) => source))].join(', ')
}
