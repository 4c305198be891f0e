import type { Clock } from '../ports/clock.ts'
import type { Secrets } from '../ports/secrets.ts'
import type { ConnectionFacts } from '../ports/worker-door.ts'
import type { FleetSecretRef } from '../protocol/security.ts'
import type { HelloFrame } from '../protocol/worker-protocol.ts'
import { secretValueProblem } from '../security/secret-value.ts'

/** How a worker that dials in proves who it is (SE7). Where both are given, both must hold. */
export interface WorkerProof {
  /**
   * What its `hello` must carry: a text, or a secret of the fleet by its key. It is compared in constant time, and covered wherever it
   * could come to light.
   */
  readonly token?: string | { readonly key: string; readonly source?: string }
  /**
   * Decides by what the worker says of itself and by what the application knows of its connection, such as the certificate of its peer. Only
   * `true` is a proof; a rejection and an answer that takes longer than ten seconds are none.
   */
  readonly verify?: (hello: HelloFrame, facts: ConnectionFacts) => boolean | Promise<boolean>
  /** True: whoever says that it is this worker is taken for it. Its identity then counts as not verified. */
  readonly unverified?: true
}

/** Everything that is wrong with a proof, as ends of sentences. */
export function proofProblems({ token, verify, unverified }: WorkerProof): string[] {
  const problems: string[] = []
  if (typeof token === 'string') {
    const problem = secretValueProblem(token)
    if (problem !== undefined) problems.push(`token: it ${problem}`)
  } else if (token !== undefined && (typeof token.key !== 'string' || token.key.trim() === '')) {
    problems.push('token: expected a text, or { key } of a secret')
  }
  if (verify !== undefined && typeof verify !== 'function') problems.push('verify: expected a function')
  const hasProof = token !== undefined || verify !== undefined
  if (!hasProof && unverified !== true) {
    problems.push(
      'a worker that dials in proves who it is: pass token or verify, or say unverified: true to take whoever names its id',
    )
  }
  if (hasProof && unverified === true)
    problems.push('unverified: there is a proof, so it is not unverified; leave one of them out')
  return problems
}

/** What a proof is held against. */
export interface ProofParts {
  readonly secrets: Secrets
  readonly clock: Clock
  /** How long it may take, in milliseconds. */
  readonly timeoutMs: number
}

/** Whether a worker proved who it is. Never rejects, and tells nothing of why not: that would help whoever tries. */
export async function isProved(
  proof: WorkerProof,
  hello: HelloFrame,
  facts: ConnectionFacts,
  { secrets, clock, timeoutMs }: ProofParts,
): Promise<boolean> {
  const limit = new AbortController()
  const late = new Promise<boolean>((resolve) => limit.signal.addEventListener('abort', () => resolve(false), { once: true }))
  const disarm = clock.alarm(timeoutMs, () => limit.abort(), { keepAlive: false })
  const prove = async (): Promise<boolean> => {
    if (proof.token !== undefined && !(await isToken(proof.token, hello.token, secrets, limit.signal))) return false
    return proof.verify === undefined
      ? proof.token !== undefined || proof.unverified === true
      : (await proof.verify(hello, facts)) === true
  }
  const proved = await Promise.race([prove().catch(() => false), late])
  disarm()
  return proved
}

async function isToken(
  expected: NonNullable<WorkerProof['token']>,
  given: string | undefined,
  secrets: Secrets,
  signal: AbortSignal,
): Promise<boolean> {
  const value = typeof expected === 'string' ? expected : await valueOf(expected, secrets, signal)
  return value !== undefined && isSameSecret(value, given ?? '')
}

async function valueOf(ref: FleetSecretRef, secrets: Secrets, signal: AbortSignal): Promise<string | undefined> {
  const outcome = await secrets.resolve([ref], { signal })
  return 'values' in outcome ? outcome.values[ref.key] : undefined
}

/** The same time for any two texts: hashes have one length, and are compared to their end. */
export function isSameSecret(one: string, other: string): boolean {
  // Loaded when it is first needed.
  const { createHash, timingSafeEqual } = process.getBuiltinModule('node:crypto')
  return timingSafeEqual(createHash('sha256').update(one).digest(), createHash('sha256').update(other).digest())
}
