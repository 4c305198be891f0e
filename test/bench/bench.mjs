// Measures the package beside its peers, all in one run, and holds the figures against the marks.
import { spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { writeIntoDocument } from './document.mjs'
import { root } from './flotilla.mjs'
import { isBusy, machineOf } from './machine.mjs'
import { judge } from './marks.mjs'
import { readOptions, usage } from './options.mjs'
import { installPeers, peerNames } from './peers.mjs'
import { markdownReport, textReport } from './report.mjs'
import { closedLoop } from './sections/closed-loop.mjs'
import { drain } from './sections/drain.mjs'
import { fanOut } from './sections/fan-out.mjs'
import { footprint } from './sections/footprint.mjs'
import { limits } from './sections/limits.mjs'
import { opening } from './sections/opening.mjs'
import { queues } from './sections/queues.mjs'
import { runs } from './sections/runs.mjs'
import { virtualTime } from './sections/virtual-time.mjs'
import { workerPrograms } from './sections/worker-programs.mjs'

const sections = {
  limits,
  'closed-loop': closedLoop,
  drain,
  queues,
  opening,
  runs,
  'fan-out': fanOut,
  'virtual-time': virtualTime,
  'worker-programs': workerPrograms,
  footprint,
}

for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(130))

try {
  const options = readOptions(process.argv.slice(2), root)
  if (options.help) console.log(usage)
  else await bench(options)
} catch (error) {
  console.error(error.message)
  process.exitCode = 2
}

async function bench(options) {
  const measured = options.from === undefined ? await measure(options) : JSON.parse(readFileSync(options.from, 'utf8'))
  const results = { ...measured, marks: judge(measured.figures) }
  console.log(textReport(results))
  if (options.docs) {
    writeIntoDocument(`${root}/docs/performance.md`, markdownReport(results))
    writeIntoDocument(`${root}/docs/durability.md`, markdownReport(results, isOfDurability))
  }
  if (options.strict && results.marks.some(({ verdict }) => verdict === 'missed')) process.exitCode = 1
}

/** What being durable costs. */
function isOfDurability(title) {
  return /^(The limits|Closed loop|Drain|Time to open|The marks)/.test(title)
}

async function measure({ quick, sizes, folder, only = Object.keys(sections), out, ...options }) {
  const unknown = only.filter((name) => sections[name] === undefined)
  if (unknown.length > 0)
    throw new Error(`There is no section ${unknown.join(', ')}. The sections are ${Object.keys(sections).join(', ')}.`)
  mkdirSync(folder, { recursive: true })
  const machine = machineOf(folder)
  if (options.build) build()
  if (machine.file_system === 'tmpfs')
    console.error(`${folder} lies in memory: a sync costs nothing there. Choose a disk with --folder.`)
  if (isBusy(machine)) console.error(`The machine is busy (load ${machine.load}): better measure when it is idle.`)
  const missing = options.peers ? installPeers() : peerNames
  const figures = {}
  const tables = []
  for (const name of Object.keys(sections).filter((one) => only.includes(one))) {
    console.error(name)
    const measured = await sections[name]({ sizes, folder, missing })
    figures[name] = measured.figures
    tables.push(...measured.tables)
  }
  const results = {
    format: 1,
    quick,
    rounds: sizes.rounds,
    longRounds: sizes.longRounds,
    machine,
    missing,
    figures,
    tables,
    marks: judge(figures),
  }
  mkdirSync(dirname(out), { recursive: true })
  writeFileSync(out, `${JSON.stringify(results, undefined, 2)}\n`)
  console.error(`The figures are in ${out}.`)
  return results
}

function build() {
  const { status } = spawnSync(process.execPath, [`${root}/scripts/build.mjs`], { stdio: ['ignore', 2, 2] })
  if (status !== 0) throw new Error('The package cannot be built: see above.')
}
