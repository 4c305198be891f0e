/**
 * Drains a queue that was filled before, until the end of its last task was announced, after others that warm the process up; how fast
 * the very first went is told beside. Of a contestant that hands out results, how long reading all of them takes is told too.
 */
export default async function drain({ contestant, slots, warmUp, tasks, ...place }) {
  const { open } = await import(`../contestants/${contestant}.mjs`)
  const queue = await open({ slots, ...place })
  const cold = await drained(queue, tasks)
  for (let done = tasks; done < warmUp; done += tasks) await drained(queue, tasks)
  const { rate, readMs } = await drained(queue, tasks)
  await queue.close()
  return { rate, coldRate: cold.rate, ...(queue.readResults !== undefined && { readMs }) }
}

async function drained(queue, tasks) {
  const start = await queue.fill(tasks)
  const began = performance.now()
  await start()
  const rate = (tasks / (performance.now() - began)) * 1000
  const asked = performance.now()
  await queue.readResults?.()
  return { rate, readMs: performance.now() - asked }
}
