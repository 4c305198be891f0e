import type { RunReader } from './run-reader.ts'

/** A reader of a run whose code is loaded with the first question. */
export function lateReader(id: string, load: () => Promise<RunReader>): RunReader {
  return {
    id,
    spec: async () => (await load()).spec(),
    summary: async () => (await load()).summary(),
    tasks: async () => (await load()).tasks(),
    task: async (taskId) => (await load()).task(taskId),
    inbox: async () => (await load()).inbox(),
    receipts: async (taskId) => (await load()).receipts(taskId),
    receipt: async (taskId) => (await load()).receipt(taskId),
    artifacts: async (taskId) => (await load()).artifacts(taskId),
    openArtifact: async (artifact) => (await load()).openArtifact(artifact),
    log: async (taskId, options) => (await load()).log(taskId, options),
    events: async function* (options) {
      yield* (await load()).events(options)
    },
    replay: async (options) => (await load()).replay(options),
    explain: async (taskId) => (await load()).explain(taskId),
    explainAll: async (options) => (await load()).explainAll(options),
    result: async (options) => (await load()).result(options),
  }
}
