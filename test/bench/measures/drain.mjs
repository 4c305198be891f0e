/**
 * Drains a queue that was filled before, after a smaller one that warms the process up, until the end of its last task was announced. Of a
 * contestant that hands out results, how long reading all of them takes is told beside.
 */
export default async function drain({ contestant, slots, warmUp, tasks, ...place }) {
  const { open } = await import(`../contestants/${contestant}.mjs`)
  const queue = await open({ slots, ...place })
  const warm = await queue.fill(warmUp)
  await warm()
  await queue.readResults?.()
  const start = await queue.fill(tasks)
  const began = performance.now()
  await start()
  const rate = (tasks / (performance.now() - began)) * 1000
  const asked = performance.now()
  await queue.readResults?.()
  const readMs = performance.now() - asked
  await queue.close()
  return { rate, ...(queue.readResults !== undefined && { readMs }) }
}
