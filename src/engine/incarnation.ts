import type { Core } from './core.ts'
import { just } from './entry.ts'
import type { Worker } from './workers.ts'

/** Records a worker with its incarnation in the fleet's own stream, unless that is what stands there last, or it has retired (WO1). */
export function recordIncarnation(core: Core, worker: Worker): void {
  // What is written off after its end gives it no new beginning.
  if (worker.status === 'retired') return
  const { id } = worker.facts
  const known = core.state.workers.get(id)
  if (known?.incarnation === worker.incarnation && known.draining === worker.draining && !known.retired) return
  core.turns.report(() =>
    just({
      on: 'fleet',
      kind: 'worker.registered',
      record: {
        ...{ id, incarnation: worker.incarnation, draining: worker.draining, retired: false },
        ...(worker.transport.dialsIn === true && { dialsIn: true }),
      },
    }),
  )
}
