import { resolve } from 'node:path'
import { parseArgs } from 'node:util'

/** The sizes of a run that is to be believed. */
const full = {
  rounds: 5,
  // Of what takes long: queues, openings, many runs.
  longRounds: 3,
  // Of a process that has just begun, told beside what follows.
  coldTasks: 1_000,
  // So many until all of an engine is compiled: Node compiles what has run some thousand times.
  warmUpTasks: 30_000,
  closedMs: 1_500,
  drainTasks: 10_000,
  queues: [1_000, 10_000, 100_000],
  finishedRuns: [100, 10_000],
  runs: 1_000,
  simulatedRuns: 1_000,
  pooledAttempts: 4_000,
  spawnedAttempts: 200,
  limitMs: 1_000,
  imports: 15,
}

/** Sizes that only show that everything works. */
const quick = {
  rounds: 1,
  longRounds: 1,
  coldTasks: 10,
  warmUpTasks: 50,
  closedMs: 100,
  drainTasks: 200,
  queues: [100],
  finishedRuns: [10, 20],
  runs: 20,
  simulatedRuns: 5,
  pooledAttempts: 50,
  spawnedAttempts: 10,
  limitMs: 50,
  imports: 3,
}

export const usage = `npm run bench -- [options]

  --quick           small sizes: shows that it works, says nothing about speed
  --only A,B        these sections only: closed-loop, drain, queues, opening, runs, fan-out, virtual-time, worker-programs,
                    limits, footprint
  --rounds N        measures everything N times (default 5, and 3 what takes long)
  --out FILE        where the JSON goes (default test/bench/results.json)
  --from FILE       measures nothing, and shows the results of that file
  --docs            writes the tables into docs/performance.md
  --folder DIR      measures on the disk of this folder (default .flotilla)
  --no-peers        goes without the peers, and does not install them
  --no-build        takes the package as it is built
  --strict          exits with 1 when a mark is missed`

/** Reads the command line. Throws with the reason when it cannot. */
export function readOptions(args, root) {
  const { values } = parseArgs({
    args,
    options: {
      quick: { type: 'boolean', default: false },
      only: { type: 'string' },
      rounds: { type: 'string' },
      out: { type: 'string', default: `${root}/test/bench/results.json` },
      from: { type: 'string' },
      docs: { type: 'boolean', default: false },
      folder: { type: 'string', default: `${root}/.flotilla` },
      'no-peers': { type: 'boolean', default: false },
      'no-build': { type: 'boolean', default: false },
      strict: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  })
  return {
    help: values.help,
    quick: values.quick,
    sizes: { ...(values.quick ? quick : full), ...roundsOf(values.rounds) },
    only: values.only?.split(','),
    out: resolve(values.out),
    from: values.from,
    docs: values.docs,
    folder: resolve(values.folder),
    peers: !values['no-peers'],
    build: !values['no-build'],
    strict: values.strict,
  }
}

function roundsOf(given) {
  if (given === undefined) return {}
  const rounds = Number(given)
  if (!Number.isInteger(rounds) || rounds < 1) throw new Error(`--rounds: expected an integer from 1, got ${given}.`)
  return { rounds, longRounds: rounds }
}
