import { percentile } from '../statistics.mjs'

/**
 * Keeps as many tasks in flight as there are slots: submit one, wait for its end, submit the next. First as many tasks for every contestant,
 * until its code is compiled; how fast the very first of them went is told beside.
 */
export default async function closedLoop({ contestant, slots, coldTasks, warmUp, ms, ...place }) {
  const { open } = await import(`../contestants/${contestant}.mjs`)
  const queue = await open({ slots, ...place })
  await queue.prepareSubmit()
  const cold = await keepBusy(queue, slots, first(coldTasks))
  await keepBusy(queue, slots, first(warmUp - coldTasks))
  const { rate, latencies } = await keepBusy(queue, slots, until(performance.now() + ms))
  await queue.close()
  latencies.sort((a, b) => a - b)
  return { rate, p50: percentile(latencies, 50), p99: percentile(latencies, 99), coldRate: cold.rate }
}

const first = (tasks) => () => (tasks -= 1) >= 0
const until = (end) => (now) => now < end

async function keepBusy(queue, slots, goesOn) {
  const latencies = []
  const began = performance.now()
  async function oneAfterTheOther() {
    for (let now = performance.now(); goesOn(now);) {
      await queue.submit()
      const then = performance.now()
      latencies.push(then - now)
      now = then
    }
  }
  await Promise.all(Array.from({ length: slots }, oneAfterTheOther))
  return { latencies, rate: (latencies.length / (performance.now() - began)) * 1000 }
}
