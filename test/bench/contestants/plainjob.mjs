import { join } from 'node:path'

const silent = { error() {}, warn() {}, info() {}, debug() {} }

/**
 * plainjob on better-sqlite3, in one process as its documents show it. A job counts as done in `onCompleted`, after its end is committed;
 * whoever waits for it submits the next one before the worker looks again, so it never has to poll.
 */
export async function open({ folder }) {
  const { better, defineQueue, defineWorker } = await import('plainjob')
  const { default: Database } = await import('better-sqlite3')
  const connection = better(new Database(join(folder, 'plainjob.db')))
  const queue = defineQueue({ connection, logger: silent })
  // It sets NORMAL itself, which syncs at checkpoints only.
  connection.pragma('synchronous = FULL')
  const waiting = new Map()
  const onCompleted = ({ id }) => {
    waiting.get(id)()
    waiting.delete(id)
  }
  const onFailed = ({ id }, error) => {
    throw new Error(`The job ${id} failed: ${error}`)
  }
  const worker = defineWorker('noop', async () => {}, { queue, logger: silent, pollIntervall: 0, onCompleted, onFailed })
  return {
    async prepareSubmit() {
      void worker.start()
    },
    submit: () => new Promise((resolve) => waiting.set(queue.add('noop', {}).id, resolve)),
    async fill(jobs) {
      const { ids } = queue.addMany(
        'noop',
        Array.from({ length: jobs }, () => ({})),
      )
      return async () => {
        const all = ids.map((id) => new Promise((resolve) => waiting.set(id, resolve)))
        void worker.start()
        await Promise.all(all)
        await worker.stop()
      }
    },
    async close() {
      await worker.stop()
      queue.close()
    },
  }
}
