/** Drains a queue that was filled before, after a smaller one that warms the process up. */
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
  await queue.close()
  return { rate }
}
