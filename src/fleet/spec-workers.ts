import type { Transport } from '../ports/transport.ts'
import type { FleetHostSpec } from '../protocol/host.ts'
import type { FleetWorkerSpec } from '../protocol/worker.ts'
import { commandTransport } from '../transports/commands/command.ts'
import { containerWorker } from './container.ts'
import { dialInOfSpec, namesIn } from './dial-in-spec.ts'
import { sshWorker } from './ssh.ts'
import type { HostPorts, WorkerPlan } from './workers-of.ts'

/** The way to the workers of each kind of host. */
const ways: { readonly [Kind in FleetHostSpec['kind']]: (spec: FleetWorkerSpec, host: HostPorts) => Transport } = {
  local: (_, host) => commandTransport(host),
  ssh: sshWorker,
  docker: containerWorker,
}

/** A worker that a run names: it dials in, or is reached at its host. Its trust is what the file says (SE1). */
export function workerOfSpec(spec: FleetWorkerSpec, host: HostPorts): WorkerPlan {
  const transport = dialInOfSpec(spec) ?? ways[spec.host.kind](spec, host)
  const kind = transport.dialsIn === true ? 'remote' : spec.host.kind
  return {
    transport,
    facts: {
      id: spec.id,
      serves: transport.serves,
      capabilities: spec.capabilities,
      roles: namesIn(spec.labels['role']),
      host: kind,
      verified: kind === 'local' || transport.verifiesIdentity === true,
      trust: spec.trust_level,
      // Asked for only when it matters: looking takes a moment.
      get enforces() {
        return transport.enforces
      },
      checks: transport.checks,
      runsUnenforced: false,
      slots: spec.max_concurrent_tasks ?? 1,
    },
  }
}
