import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { announcedEnd, ended } from '../contestants/flotilla.mjs'
import { importFlotilla, root } from '../flotilla.mjs'

const program = fileURLToPath(new URL('../worker-program.mjs', import.meta.url))
const byHand = fileURLToPath(new URL('../worker-by-hand.cjs', import.meta.url))
const worker = pathToFileURL(createRequire(`${root}/package.json`).resolve('flotilla/worker')).href
/** Ticks of the processor time in /proc. */
const ticksPerSecond = 100

/**
 * Attempts that do nothing, through processes: `warm` on processes that were there before, by the clock and by the processor time of the fleet
 * and of all its processes; `spawned` on one process each, and in turn with them as many bare starts of Node, and of the same program with nothing to do.
 */
export default async function workerPrograms({ way, attempts, slots }) {
  const { createFleet, childProcesses } = await importFlotilla()
  const serving = [...process.execArgv.filter((word) => word !== '--expose-gc'), program, worker]
  const command = [process.execPath, ...(way === 'spawned by hand' ? [byHand] : serving)]
  const transport = childProcesses({ command, handlers: ['nothing'], reuse: way === 'warm' })
  const fleet = await createFleet({ workers: [{ id: 'pool', slots, transport }] })
  const create = (count) => {
    const tasks = Array.from({ length: count }, (_, at) => ({ id: `t${at}`, name: 't', instructions: 'x', handler: 'nothing' }))
    return fleet.create({ name: 'bench', tasks })
  }
  const perform = async (count) => {
    const run = await create(count)
    await run.start()
    ;(await run.result()).assertCompleted()
  }
  try {
    return way === 'warm'
      ? await warm(fleet, create, attempts)
      : await spawned(perform, { attempts, slots, args: command.slice(1) })
  } finally {
    await fleet.close({ graceMs: 0 })
  }
}

/** As the drain: from the start of a run that is there until its end was announced. */
async function warm(fleet, create, attempts) {
  const drain = async (run) => {
    const announced = announcedEnd(fleet, run)
    await run.start()
    await announced
  }
  await drain(await create(attempts))
  const run = await create(attempts)
  const processor = processorSeconds()
  const began = performance.now()
  await drain(run)
  const seconds = (performance.now() - began) / 1000
  const perCore = attempts / (processorSeconds() - processor)
  await ended(run, attempts)
  return { rate: attempts / seconds, perCore }
}

async function spawned(perform, { attempts, slots, args }) {
  await perform(slots)
  const ways = {
    attempt: perform,
    bare: (count) => started(['-e', '0'], count, slots),
    alone: (count) => started(args, count, slots),
  }
  const ms = { attempt: 0, bare: 0, alone: 0 }
  // In turn, so that whatever else the machine does hits all alike.
  for (let done = 0; done < attempts; done += slots * 5) {
    for (const [way, act] of Object.entries(ways)) {
      const began = performance.now()
      await act(slots * 5)
      ms[way] += performance.now() - began
    }
  }
  const each = Object.fromEntries(Object.entries(ms).map(([way, sum]) => [way, sum / attempts]))
  return { ...each, ratio: ms.attempt / ms.bare, ratioAlone: ms.attempt / ms.alone }
}

/** Starts of Node, so many at a time; their input is at its end. */
async function started(args, count, slots) {
  let left = count
  const one = async () => {
    const child = spawn(process.execPath, args, { stdio: 'pipe', env: { PATH: process.env.PATH } })
    child.stdin.end()
    child.stdout.resume()
    child.stderr.resume()
    await once(child, 'close')
  }
  await Promise.all(Array.from({ length: slots }, async () => { while (left-- > 0) await one() })) // prettier-ignore
}

/** Processor time of this process and of those that it started, in seconds. */
function processorSeconds() {
  const { user, system } = process.cpuUsage()
  let children = 0
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
      if (Number(fields[1]) === process.pid) children += Number(fields[11]) + Number(fields[12])
    } catch {
      // It ended meanwhile.
    }
  }
  return (user + system) / 1e6 + children / ticksPerSecond
}
