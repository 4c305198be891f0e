import { importFlotilla } from '../flotilla.mjs'

/** The spec of a task that does nothing. */
export const noop = (id) => ({ id, name: id, instructions: 'Do nothing.', handler: 'noop' })

export const noops = (count, prefix = 't') => Array.from({ length: count }, (_, index) => noop(`${prefix}${index}`))

/** A store of the package: `json` in a folder, or `memory`. */
export async function openStore(kind, folder) {
  const { jsonStore, memoryStore } = await importFlotilla()
  return { json: () => jsonStore({ folder }), memory: () => memoryStore() }[kind]()
}

/** A fleet with one worker in this process, whose handler returns at once. */
export async function openFleet({ store, folder, slots, onStart = () => undefined, ...options }) {
  const { createFleet } = await importFlotilla()
  const handlers = {
    noop() {
      onStart()
      return null
    },
  }
  return createFleet({ store: await openStore(store, folder), handlers, slots, ...options })
}

/** Waits for a run, and makes sure that all of it was done. */
export async function ended(run, tasks) {
  checkAllDone(await run.result(), tasks)
}

export function checkAllDone(result, tasks) {
  const done = Object.keys(result.receipts).length
  if (result.status !== 'completed' || done !== tasks)
    throw new Error(`The run is ${result.status} with ${done} of ${tasks} receipts.`)
}

/** Resolves when the end of a run was announced. */
export function announcedEnd(fleet, run) {
  return new Promise((resolve) => {
    const off = fleet.on('run.status_changed', ({ run_id: id, payload }) => {
      if (id !== run.id || payload.status !== 'completed') return
      off()
      resolve()
    })
  })
}

/** Flotilla as a contestant: a task counts as done once its end is durable and was announced. */
export async function open({ store, folder, slots }) {
  const fleet = await openFleet({ store, folder, slots })
  let count = 0
  let submit
  let filled
  return {
    async prepareSubmit() {
      const run = await fleet.start({ name: 'closed', open: true, tasks: [] })
      const waiting = new Map()
      fleet.on('task.terminal', ({ task_id: id, payload }) => waiting.get(id)?.(payload.status))
      submit = async () => {
        const id = `t${(count += 1)}`
        const [status] = await Promise.all([new Promise((resolve) => waiting.set(id, resolve)), run.add([noop(id)])])
        waiting.delete(id)
        if (status !== 'completed') throw new Error(`The task ${id} is ${status}.`)
      }
    },
    submit: () => submit(),
    async fill(tasks) {
      const run = await fleet.create({ name: 'drain', tasks: noops(tasks) })
      const announced = announcedEnd(fleet, run)
      filled = () => ended(run, tasks)
      return async () => {
        await run.start()
        await announced
      }
    },
    readResults: () => filled(),
    close: () => fleet.close(),
  }
}
