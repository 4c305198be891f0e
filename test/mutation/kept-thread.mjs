import { ThreadsPoolWorker } from 'vitest/node'

/** So many runs share a thread: what a change left behind in it goes with it. */
const runsPerThread = 50

/**
 * A Vite plugin. Vitest starts a thread for every run, and loading the sources takes it longer than most tests do. A change that is no
 * static one is switched on while tests run, so the next run may have the same thread, with everything loaded.
 */
export function keptThread() {
  const shared = { thread: undefined, runs: 0 }
  return {
    name: 'kept-thread',
    configureVitest({ project }) {
      project.config.pool = 'kept'
      project.config.poolRunner = { name: 'kept', createPoolWorker: (options) => new KeptThread(shared, options) }
    },
  }
}

/** What Vitest takes for a thread of its own: it starts with the first run, and ends when it had enough of them. */
class KeptThread {
  name = 'kept'
  #shared
  #options
  #listeners = []

  constructor(shared, options) {
    this.#shared = shared
    this.#options = options
  }

  async start() {
    const shared = this.#shared
    if (shared.runs >= runsPerThread) {
      await shared.thread.stop()
      shared.thread = undefined
      shared.runs = 0
    }
    if (shared.thread === undefined) {
      shared.thread = new ThreadsPoolWorker(this.#options)
      await shared.thread.start()
      // Every run listens anew, and the process ends though the thread waits for more.
      shared.thread.thread.setMaxListeners(0)
      shared.thread.thread.unref()
    }
    shared.runs += 1
  }

  async stop() {
    for (const [event, listener] of this.#listeners) this.#shared.thread.off(event, listener)
    this.#listeners = []
  }

  send(message) {
    if (message.type !== 'stop') this.#shared.thread.send(message)
    else this.#tell('message', { type: 'stopped', __vitest_worker_response__: true })
  }

  on(event, listener) {
    this.#listeners.push([event, listener])
    this.#shared.thread.on(event, listener)
  }

  off(event, listener) {
    this.#listeners = this.#listeners.filter(([one, other]) => one !== event || other !== listener)
    this.#shared.thread.off(event, listener)
  }

  deserialize(message) {
    return message
  }

  #tell(event, message) {
    for (const [one, listener] of this.#listeners) if (one === event) listener(message)
  }
}
