import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

const program = fileURLToPath(new URL('child.mjs', import.meta.url))
const timeoutMs = 20 * 60_000

/** Performs a measure in a process of its own: a fresh heap, nothing compiled. Rejects when it ends without figures. */
export async function inChild(measure, params = {}) {
  const { figures, how } = await run(measure, params)
  if (figures === undefined) throw new Error(`The measure ${measure} ${JSON.stringify(params)} ended without figures (${how}).`)
  return figures
}

/** Performs a measure that kills its own process, as kill -9 does. */
export async function untilKilled(measure, params) {
  const { how } = await run(measure, params)
  if (how !== 'SIGKILL') throw new Error(`The measure ${measure} was to be killed, and ended with ${how}.`)
}

async function run(measure, params) {
  const child = fork(program, [measure, JSON.stringify(params)], {
    execArgv: [...process.execArgv, '--expose-gc'],
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  })
  let figures
  child.on('message', (message) => (figures = message))
  const timer = setTimeout(() => child.kill('SIGKILL'), timeoutMs)
  // The last message may be read after the exit, but before the channel's end.
  const [[code, signal]] = await Promise.all([once(child, 'exit'), once(child, 'disconnect')])
  clearTimeout(timer)
  return { figures, how: signal ?? code }
}
