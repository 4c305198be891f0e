/**
 * Drains a queue that was filled before, after a smaller one that warms the process up. Of a contestant that hands out the results, how
 * long reading them takes by itself is told beside.
 */
export default async function drain({ contestant, slots, warmUp, tasks, ...place }) {
  const { open } = await import(`../contestants/${contestant}.mjs`)
  const queue = await open({ slots, ...place })
  await (
    await queue.fill(warmUp)
  )()
  const start = await queue.fill(tasks)
  const began = performance.now()
  await start()
  const rate = (tasks / (performance.now() - began)) * 1000
  const asked = performance.now()
  await queue.readAgain?.()
  const readMs = performance.now() - asked
  await queue.close()
  return { rate, ...(queue.readAgain !== undefined && { readMs }) }
}
