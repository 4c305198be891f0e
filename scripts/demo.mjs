// Builds the package, then lets a fleet check this repository (examples/ci-gate). On a terminal a person signs off; elsewhere this
// script does, from a second process, as anybody could who runs `flotilla settle`.
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync } from 'node:fs'
import { join, relative } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const cli = 'dist/cli/main.js'
process.chdir(root)

console.log('Building the package …')
const built = spawnSync(process.execPath, ['scripts/build.mjs'], { stdio: 'inherit' })
if (built.status !== 0) process.exit(built.status ?? 1)

// A folder of its own for each demo, ignored by git; what the run left can be read afterwards.
mkdirSync('.flotilla', { recursive: true })
const folder = relative(root, mkdtempSync(join(root, '.flotilla', 'demo-')))
const isTerminal = process.stdin.isTTY === true && process.stdout.isTTY === true
const args = ['run', 'examples/ci-gate/tasks.toml', '--folder', folder, ...(isTerminal ? [] : ['--await-verdicts'])]

show(args)
const fleet = spawn(process.execPath, [cli, ...args], { stdio: 'inherit' })
// Ctrl-C goes to the whole group; the fleet closes gracefully and says how it ended.
process.on('SIGINT', () => {})
const stop = new AbortController()
const signed = isTerminal ? Promise.resolve() : signOff(stop.signal)
const [code, signal] = await once(fleet, 'exit')
stop.abort()
await signed

const [run] = await withStore((control) => control.runs())
if (run !== undefined) console.log(`\nWhat it left can be read: node ${cli} inspect ${run.id} --folder ${folder}`)
process.exitCode = signal === null ? code : 1

/** Waits until a person's verdict is asked for, and gives it with the command. */
async function signOff(signal) {
  const run = await withStore(async (control) => {
    while (!signal.aborted) {
      const [row] = await control.runs()
      if (row !== undefined) return row.id
      await sleep(200)
    }
    return undefined
  })
  const task = run === undefined ? undefined : await withStore((control) => askedFor(control, run, signal))
  if (task === undefined) return
  const settle = ['settle', run, task, 'pass', '--by', 'demo', '--why', 'every check passed', '--folder', folder]
  show(settle)
  await once(spawn(process.execPath, [cli, ...settle], { stdio: ['ignore', 'inherit', 'inherit'] }), 'exit')
}

/** The task that waits for a person: events tell, live and from any process. */
async function askedFor(control, run, signal) {
  try {
    for await (const event of control.run(run).events({ signal })) {
      if (event.event === 'alert.raised' && event.payload.class === 'needs_human') return event.task_id
    }
  } catch (error) {
    if (!signal.aborted) throw error
  }
  return undefined
}

async function withStore(use) {
  const { jsonStore, openControl } = await import('flotilla')
  const control = openControl(jsonStore({ folder }))
  try {
    return await use(control)
  } finally {
    await control.close()
  }
}

function show(words) {
  console.log(`\n$ flotilla ${words.map((word) => (/\s/.test(word) ? `'${word}'` : word)).join(' ')}\n`)
}
