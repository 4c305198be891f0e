import type { FleetArtifactRef } from '../protocol/artifact.ts'
import { FleetError } from '../protocol/errors.ts'
import type { ArtifactMessage, CollectedMessage } from '../protocol/wire.ts'

/** What a report says of an artifact, without its number. */
export type ArtifactContent = Pick<ArtifactMessage, 'kind' | 'path' | 'bytes' | 'mime_type'>

/** The artifact reports of one attempt that wait for the fleet's answer. */
export interface ReportChannel {
  /** Sends a report; resolves or rejects with the fleet's answer, or rejects with the reason of the end. */
  report(content: ArtifactContent): Promise<FleetArtifactRef>
  /** Takes an answer. One to an unknown report is ignored. */
  collected(message: CollectedMessage): void
  /** Resolves when nothing waits any more; undefined when nothing does. */
  settled(): Promise<void> | undefined
  /** Rejects what waits, and every later report. */
  end(reason: FleetError): void
}

/** Creates the report channel of one attempt; its reports are numbered from 1. */
export function createReportChannel(send: (report: number, content: ArtifactContent) => void): ReportChannel {
  /** Made with the first report: most attempts make none. */
  let waiting: Map<number, PromiseWithResolvers<FleetArtifactRef>> | undefined
  let last = 0
  let ended: FleetError | undefined

  async function untilNoneWaits(waiting: ReadonlyMap<number, PromiseWithResolvers<FleetArtifactRef>>): Promise<void> {
    while (waiting.size > 0) await Promise.allSettled([...waiting.values()].map((answer) => answer.promise))
  }

  return {
    report(content) {
      if (ended !== undefined) return Promise.reject(ended)
      const answer = withResolvers<FleetArtifactRef>()
      last += 1
      waiting ??= new Map()
      waiting.set(last, answer)
      send(last, content)
      return answer.promise
    },
    collected({ report, artifact, refused }) {
      const answer = waiting?.get(report)
      waiting?.delete(report)
      if (artifact !== undefined) answer?.resolve(artifact)
      else
        answer?.reject(
          new FleetError('artifact_refused', refused ?? 'The fleet refused the artifact and gave no reason. See its log.'),
        )
    },
    settled: () => (waiting === undefined || waiting.size === 0 ? undefined : untilNoneWaits(waiting)),
    end(reason) {
      ended ??= reason
      for (const report of waiting?.values() ?? []) report.reject(reason)
      waiting?.clear()
    },
  }
}

interface PromiseWithResolvers<Value> {
  readonly promise: Promise<Value>
  readonly resolve: (value: Value) => void
  readonly reject: (reason: unknown) => void
}

/** `Promise.withResolvers` is not in Node 20. */
function withResolvers<Value>(): PromiseWithResolvers<Value> {
  let resolve!: (value: Value) => void
  let reject!: (reason: unknown) => void
  const promise = new Promise<Value>((accept, refuse) => {
    resolve = accept
    reject = refuse
  })
  return { promise, resolve, reject }
}
