import { percentile } from '../statistics.mjs'

/** Keeps as many tasks in flight as there are slots: submit one, wait for its end, submit the next. */
export default async function closedLoop({ contestant, slots, warmUpMs, ms, ...place }) {
  const { open } = await import(`../contestants/${contestant}.mjs`)
  const queue = await open({ slots, ...place })
  await queue.prepareSubmit()
  await keepBusy(queue, slots, warmUpMs)
  const began = performance.now()
  const latencies = await keepBusy(queue, slots, ms)
  const tookMs = performance.now() - began
  await queue.close()
  latencies.sort((a, b) => a - b)
  return { rate: (latencies.length / tookMs) * 1000, p50: percentile(latencies, 50), p99: percentile(latencies, 99) }
}

async function keepBusy(queue, slots, ms) {
  const latencies = []
  const end = performance.now() + ms
  async function oneAfterTheOther() {
    for (let now = performance.now(); now < end;) {
      await queue.submit()
      const then = performance.now()
      latencies.push(then - now)
      now = then
    }
  }
  await Promise.all(Array.from({ length: slots }, oneAfterTheOther))
  return latencies
}
