import { ThreadsPoolWorker } from 'vitest/node'

/** So many runs share a thread: what a mutant leaves behind in it goes with it. */
const runsPerThread = 50

/**
 * Vitest starts a thread for every run, and loading the sources takes it longer than most tests do. A mutant that is no static one is
 * switched on while the tests run, so the next run may use the same thread with everything loaded.
 */
export function keptThread() {
  let thread
  let runs = 0
  const createPoolWorker = (options) => ({
    name: 'kept',
    listeners: [],
    async start() {
      if (thread !== undefined && runs >= runsPerThread) {
        await thread.stop()
        thread = undefined
      }
      if (thread === undefined) {
        runs = 0
        thread = new ThreadsPoolWorker(options)
        await thread.start()
        thread.thread.setMaxListeners(0)
        thread.thread.unref()
      }
      runs += 1
    },
    async stop() {
      for (const [event, listener] of this.listeners) thread?.off(event, listener)
      this.listeners = []
    },
    send(message) {
      if (message?.type !== 'stop') thread.send(message)
      else
        for (const [event, listener] of this.listeners)
          if (event === 'message') listener({ type: 'stopped', __vitest_worker_response__: true })
    },
    on(event, listener) {
      this.listeners.push([event, listener])
      thread.on(event, listener)
    },
    off(event, listener) {
      thread?.off(event, listener)
      this.listeners = this.listeners.filter(([e, l]) => e !== event || l !== listener)
    },
    deserialize: (data) => data,
  })
  return {
    name: 'kept-thread',
    configureVitest({ project }) {
      project.config.pool = 'kept'
      project.config.poolRunner = { name: 'kept', createPoolWorker }
    },
  }
}
