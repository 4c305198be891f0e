import { availableParallelism } from 'node:os'
import { isAbsolute } from 'node:path'
import type { WorkerFacts } from '../engine/worker-facts.ts'
import type { CheckRunner } from '../ports/check-runner.ts'
import type { Clock } from '../ports/clock.ts'
import type { Environment } from '../ports/environment.ts'
import type { Transport } from '../ports/transport.ts'
import { FleetError } from '../protocol/errors.ts'
import { isToken, reservedId } from '../protocol/ids.ts'
import { sandboxLimits } from '../security/sandbox.ts'
import { commandTransport } from '../transports/commands/command.ts'
import type { SandboxProbe } from '../transports/commands/sandbox-probe.ts'
import type { Redactor } from '../security/redactor.ts'
import { inProcessTransport } from '../transports/in-process.ts'
import { handlerWorker } from '../worker/handler-worker.ts'
import type { PlainHandler } from '../worker/handler.ts'
import { taskHandlers } from '../worker/handlers.ts'
import { type ContainerPorts, isHosted } from './container.ts'
import type { FleetOptions, WorkerOptions } from './options.ts'

/** A worker to register: what matching needs of it, and the way to it. */
export interface WorkerPlan {
  readonly facts: WorkerFacts
  readonly transport: Transport
}

/** What the transports of this package need. */
export interface HostPorts {
  readonly clock: Clock
  readonly environment: Environment
  /** Makes the folder of an attempt when its handler asks for it. */
  readonly makeFolder?: (path: string) => void
  /** What the machine has for sandboxes, looked for once. */
  readonly probe?: () => SandboxProbe
  /** Folders that no sandbox is shown: the store. */
  readonly hidden?: readonly string[]
  /** What there is for containers. */
  readonly containers?: ContainerPorts
  /** Covers the secrets that are in use (SE5). */
  readonly redactor?: () => Redactor | undefined
}

/** The workers that the options name. Throws `invalid_option` with everything that is wrong. */
export function workersOf(options: FleetOptions, host: HostPorts): WorkerPlan[] {
  const named = [...(options.workers ?? [])]
  if (options.handlers !== undefined) {
    named.unshift({ id: 'local', slots: options.slots ?? availableParallelism(), handlers: options.handlers })
  }
  const problems = named.flatMap((worker, index) => problemsOf(worker, `workers[${index}]`))
  const ids = named.map((worker) => worker.id)
  for (const id of new Set(ids.filter((id, at) => ids.indexOf(id) !== at))) problems.push(`two workers have the id ${id}`)
  if (problems.length > 0) {
    throw new FleetError('invalid_option', `The workers cannot be registered:\n${problems.join('\n')}`, { details: { problems } })
  }
  return named.map((worker) => planOf(worker, host))
}

/** One worker that the application adds. */
export function workerPlan(worker: WorkerOptions, host: HostPorts): WorkerPlan {
  const problems = problemsOf(worker, 'worker')
  if (problems.length > 0) throw new FleetError('invalid_option', `The worker cannot be registered:\n${problems.join('\n')}`)
  return planOf(worker, host)
}

function planOf(worker: WorkerOptions, host: HostPorts): WorkerPlan {
  const transport = transportOf(worker, host)
  const kind = transport.kind === 'ssh' || transport.kind === 'docker' ? transport.kind : transport.survives ? 'remote' : 'local'
  return {
    transport,
    facts: {
      id: worker.id,
      serves: transport.serves,
      capabilities: worker.capabilities ?? [],
      roles: worker.roles ?? [],
      host: kind,
      verified: kind === 'local' || transport.verifiesIdentity === true,
      trust: worker.trustLevel ?? 'local',
      get enforces() {
        return transport.enforces
      },
      checks: transport.checks ?? (kind === 'local' ? localChecks(host) : undefined),
      runsUnenforced: worker.runsUnenforced ?? false,
      slots: worker.slots ?? 1,
    },
  }
}

/** Runs the commands of scorers for workers of this machine that have no way of their own (VE3). */
export function localChecks(host: HostPorts): CheckRunner {
  // The way of commands is the way of their checks.
  return commandTransport(host).checks
}

function transportOf(worker: WorkerOptions, host: HostPorts): Transport {
  if (worker.transport !== undefined) return isHosted(worker.transport) ? worker.transport.within(host) : worker.transport
  if (worker.commands === true) return commandTransport({ ...host, ...(worker.sandbox && { sandbox: worker.sandbox }) })
  const inProcess = handlerWorker({
    clock: host.clock,
    makeFolder: host.makeFolder,
    redact: (text) => host.redactor?.()?.text(text) ?? text,
    handlers: taskHandlers(worker.handlers ?? {}),
    ...(worker.run !== undefined && { plain: worker.run satisfies PlainHandler }),
  })
  return inProcessTransport({ worker: inProcess, clock: host.clock })
}

function problemsOf(worker: WorkerOptions, path: string): string[] {
  const problems: string[] = []
  if (!isToken(worker.id) || worker.id === reservedId)
    problems.push(`${path}.id: expected 1–128 of [A-Za-z0-9._-] other than "${reservedId}", got ${JSON.stringify(worker.id)}`)
  const { slots = 1 } = worker
  if (!Number.isInteger(slots) || slots < 1) problems.push(`${path}.slots: expected an integer from 1, got ${slots}`)
  const ways = [
    worker.handlers !== undefined || worker.run !== undefined,
    worker.commands === true,
    worker.transport !== undefined,
  ]
  if (ways.filter(Boolean).length !== 1) problems.push(`${path}: expected exactly one of handlers or run, commands, transport`)
  for (const [key, handler] of Object.entries(worker.handlers ?? {})) {
    if (typeof handler !== 'function' && handler.name !== key) {
      problems.push(
        `${path}.handlers.${key}: its definition is named ${JSON.stringify(handler.name)}; the key and the name must be the same`,
      )
    }
  }
  const isFunction = worker.handlers !== undefined || worker.run !== undefined
  if (worker.trustLevel === 'sandbox' && isFunction && worker.runsUnenforced !== true) {
    problems.push(
      `${path}.trustLevel: nothing can hold a function of this process to sandbox; use local, or say runsUnenforced: true to run it unconfined`,
    )
  }
  if (worker.sandbox !== undefined) problems.push(...sandboxProblems(worker, path))
  return problems
}

/** Only commands run in sandboxes; sizes are positive, and paths absolute. */
function sandboxProblems({ sandbox = {}, commands }: WorkerOptions, path: string): string[] {
  if (commands !== true) return [`${path}.sandbox: only a worker with commands runs them in sandboxes`]
  return Object.entries(sandbox).flatMap(([name, value]: [string, unknown]) => {
    if (name === 'readable') {
      const isPaths = Array.isArray(value) && value.every((one) => typeof one === 'string' && isAbsolute(one))
      return isPaths ? [] : [`${path}.sandbox.readable: expected a list of absolute paths`]
    }
    if (!Object.hasOwn(sandboxLimits, name)) return [`${path}.sandbox.${name}: there is no such option`]
    const isSize = typeof value === 'number' && Number.isSafeInteger(value) && value >= 1
    return isSize ? [] : [`${path}.sandbox.${name}: expected an integer from 1, got ${String(value)}`]
  })
}
