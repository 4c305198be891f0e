import { join } from 'node:path'
import { readFile } from 'node:fs/promises'
import { diskFiles } from '../host/files.ts'
import { quiet } from '../host/quiet.ts'
import type { Clock } from '../ports/clock.ts'
import type { Store } from '../ports/store.ts'
import { FleetError } from '../protocol/errors.ts'
import type { Json } from '../protocol/json.ts'
import { createRecorder } from '../recording/recorder.ts'
import type { Recorder } from '../recording/recorder.ts'
import { fileSink, memorySink } from '../recording/sink.ts'
import type { RecordingSink } from '../recording/sink.ts'
import type { Step } from '../recording/step.ts'
import type { SecretsInUse } from '../security/secrets-in-use.ts'

/** What becomes of a fleet's recording. */
export interface Recording {
  /** The store is open, in this epoch. */
  open(epoch: number): void
  bytes(): Promise<Uint8Array>
  /** Resolves when all of it was written. */
  written(): Promise<void>
}

/** That of a fleet which records nothing. */
export const unrecorded: Recording = {
  open: () => undefined,
  async bytes() {
    throw new FleetError('invalid_option', 'This fleet records nothing. Create it with `record: true`.')
  },
  written: async () => undefined,
}

/** A name that sorts as the epochs do. */
function recordingName(epoch: number): string {
  return `${String(epoch).padStart(10, '0')}.ndjson`
}

export function createRecording(parts: {
  readonly store: Pick<Store, 'recordings'>
  readonly clock: Clock
  readonly inUse: SecretsInUse
  /** Where it goes. Default: a file beside the journal, or memory where the store has no folder. */
  readonly sink: RecordingSink | undefined
}): Recording & { readonly recorder: Recorder } {
  const { clock, inUse, sink: given } = parts
  const { recordings } = parts.store
  const file =
    given === undefined && recordings !== undefined ? fileSink({ append: diskFiles().append, read: readFile }) : undefined
  const sink = given ?? file ?? memorySink()
  const recorder = createRecorder({ clock, quiet, sink, cover: (step) => withoutSecrets(step, inUse) })
  return {
    recorder,
    open(epoch) {
      if (file !== undefined && recordings !== undefined) file.open(join(recordings, recordingName(epoch)))
    },
    async bytes() {
      await recorder.idle()
      return sink.bytes()
    },
    async written() {
      await recorder.idle()
      await sink.flush()
    },
  }
}

/** A step is plain data, whatever its type calls it (SE5). */
function withoutSecrets(step: Step, { redactor }: SecretsInUse): Step {
  return redactor === undefined ? step : (redactor.json(step as unknown as Json) as unknown as Step)
}
