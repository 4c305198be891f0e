import type { Clock } from '../../ports/clock.ts'
import type { ContainerRuntime } from '../../security/container.ts'
import { labelNames } from '../../security/container.ts'
import { startProgram } from '../program.ts'

/** The client program of a container runtime: what containers are started, asked for and ended with. */
export interface ContainerHost {
  readonly runtime: ContainerRuntime
  /** Absolute path of the client. */
  readonly program: string
  readonly isRootless: boolean
  /** What the client gets of the fleet's environment. */
  readonly environment: Readonly<Record<string, string>>
}

/** What became of a container, as its runtime tells. */
export interface ContainerState {
  readonly hasStarted: boolean
  readonly isRunning: boolean
  /** A process of it was ended since it needed more memory than it may have. */
  readonly isOutOfMemory: boolean
}

/** A client that answers no short question in this time hangs. */
const patienceMs = 15_000
/** Characters of an answer that are kept. */
const longestAnswer = 256 * 1024
const removals = 3

/** What is asked of a runtime besides running a container. Each rejects when the client hangs or cannot be started. */
export interface ContainerClient {
  readonly host: ContainerHost
  /** Undefined: there is no such container. */
  state(name: string): Promise<ContainerState | undefined>
  /** False when the container does not run, or not yet. Never rejects. */
  signal(name: string, signal: 'TERM' | 'KILL'): Promise<boolean>
  /** Ends a container and all in it, and removes it with its volumes. False when it cannot be done. Never rejects. */
  remove(name: string): Promise<boolean>
  /** Names of the containers that carry all of these labels. */
  named(labels: Readonly<Record<string, string>>): Promise<readonly string[]>
  hasImage(image: string): Promise<boolean>
  /** Fetches an image; gives what the runtime said when it could not. */
  pull(image: string, options: { readonly limitMs: number; readonly signal: AbortSignal }): Promise<string | undefined>
}

export function createContainerClient(host: ContainerHost, clock: Clock): ContainerClient {
  const ask = (args: readonly string[], bounds: { readonly limitMs?: number; readonly signal?: AbortSignal } = {}) =>
    answerOf({ host, clock, args, limitMs: bounds.limitMs ?? patienceMs, signal: bounds.signal })

  async function removed(name: string): Promise<boolean> {
    const { exitCode, stderr } = await ask(['rm', '--force', '--volumes', ...removal[host.runtime], name])
    return exitCode === 0 || isUnknown(stderr)
  }

  return {
    host,
    async state(name) {
      const answer = await ask(['inspect', '--type', 'container', '--format', stateFormat, name])
      if (answer.exitCode === 0) return stateOf(answer.stdout)
      if (isUnknown(answer.stderr)) return undefined
      throw new Error(`${host.runtime} does not tell of ${name}: ${answer.stderr.trim()}`)
    },
    async signal(name, signal) {
      const answer = await ask(['kill', '--signal', signal, name]).catch(() => undefined)
      return answer?.exitCode === 0
    },
    async remove(name) {
      for (let tried = 0; tried < removals; tried += 1) if (await removed(name).catch(() => false)) return true
      return false
    },
    async named(labels) {
      const filters = Object.entries(labels).flatMap(([key, value]) => ['--filter', `label=${key}=${value}`])
      const { exitCode, stdout, stderr } = await ask(['ps', '--all', '--no-trunc', '--format', '{{.Names}}', ...filters])
      if (exitCode !== 0) throw new Error(`${host.runtime} does not list its containers: ${stderr.trim()}`)
      return stdout.split('\n').filter((line) => line !== '')
    },
    hasImage: async (image) => (await ask(['image', 'inspect', '--format', '{{.Id}}', '--', image])).exitCode === 0,
    async pull(image, bounds) {
      const { exitCode, stderr } = await ask(['pull', '--quiet', '--', image], bounds)
      return exitCode === 0 ? undefined : stderr.trim() || `it ended with ${exitCode ?? 'a signal'}`
    },
  }
}

/** Ends the containers of a store, or of one of its workers, that were left behind; rejects when one of them does not go (LE6, HO5). */
export async function reapContainers(
  client: ContainerClient,
  { storeId, worker }: { readonly storeId: string; readonly worker?: string },
): Promise<void> {
  const left = await client.named({ [labelNames.store]: storeId, ...(worker !== undefined && { [labelNames.worker]: worker }) })
  const gone = await Promise.all(left.map((name) => client.remove(name)))
  const staying = left.filter((_, index) => gone[index] === false)
  if (staying.length > 0) throw new Error(`Containers of an earlier fleet cannot be removed: ${staying.join(', ')}`)
}

const stateFormat = '{{.State.Running}} {{.State.OOMKilled}} {{.State.StartedAt}}'

/** A container that never started did so in the year 1. */
function stateOf(answer: string): ContainerState {
  const [running, outOfMemory, started = ''] = answer.trim().split(' ')
  return { isRunning: running === 'true', isOutOfMemory: outOfMemory === 'true', hasStarted: !started.startsWith('0001-') }
}

/** podman gives what it removes ten seconds to end. */
const removal: Readonly<Record<ContainerRuntime, readonly string[]>> = { docker: [], podman: ['--time', '0'] }

function isUnknown(said: string): boolean {
  return /no such (container|object)|no container with (name|id)/i.test(said)
}

async function answerOf(question: {
  readonly host: ContainerHost
  readonly clock: Clock
  readonly args: readonly string[]
  readonly limitMs: number
  readonly signal: AbortSignal | undefined
}): Promise<{ readonly exitCode: number | undefined; readonly stdout: string; readonly stderr: string }> {
  const { host, clock, args, limitMs, signal } = question
  const [stdout, stderr] = [textKeeper(), textKeeper()]
  const { program, environment } = host
  const client = await startProgram(
    { program, args, cwd: '/', environment },
    { clock, drainLimitMs: 1_000, stdout: stdout.write, stderr: stderr.write },
  )
  const ended = new AbortController()
  let isLate = false
  const waits = AbortSignal.any([ended.signal, ...(signal === undefined ? [] : [signal])])
  void clock.sleep(limitMs, { signal: waits }).then(() => {
    if (ended.signal.aborted) return
    isLate = true
    client.terminate(0)
  })
  const { exitCode } = await client.ended
  ended.abort()
  signal?.throwIfAborted()
  if (isLate) throw new Error(`${host.runtime} did not answer within ${limitMs / 1000} s`)
  return { exitCode, stdout: stdout.text(), stderr: stderr.text() }
}

function textKeeper() {
  const decoder = new TextDecoder()
  let text = ''
  return {
    write(bytes: Uint8Array) {
      if (text.length < longestAnswer) text += decoder.decode(bytes, { stream: true })
    },
    text: () => text,
  }
}
