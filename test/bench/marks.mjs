import { number } from './format.mjs'

const ratio = (value) => `${number(value)} ×`
const plain = (unit) => (value) => `${number(value)} ${unit}`

/** What the package sets out to reach. `measured` gives a number, or NaN when a figure is missing in this run. */
const marks = [
  {
    mark: 'drain at 64 slots: at least 6 × plainjob FULL',
    least: 6,
    stretch: 10,
    show: ratio,
    measured: ({ rate }) => rate('drain', 'json 64') / rate('drain', 'plainjob 1'),
  },
  {
    mark: 'drain at 64 slots: at least 0.6 × the memory store',
    least: 0.6,
    show: ratio,
    measured: ({ rate }) => rate('drain', 'json 64') / rate('drain', 'memory 64'),
  },
  {
    mark: 'closed loop at 1 slot: at least 1 × plainjob FULL',
    least: 1,
    show: ratio,
    measured: ({ rate }) => rate('closed-loop', 'json 1') / rate('closed-loop', 'plainjob 1'),
  },
  {
    mark: 'closed loop at 64 slots: at least 6 × plainjob FULL',
    least: 6,
    stretch: 8,
    show: ratio,
    measured: ({ rate }) => rate('closed-loop', 'json 64') / rate('closed-loop', 'plainjob 64'),
  },
  {
    mark: 'drain of 100,000: at least 0.8 × that of 1,000',
    least: 0.8,
    show: ratio,
    measured: ({ rate }) => rate('queues', '100000') / rate('queues', '1000'),
  },
  {
    mark: 'a queued task of 100,000: at most 1,000 B of heap beyond its spec',
    most: 1000,
    show: plain('B'),
    measured: ({ median }) => median('queues', '100000', 'heap'),
  },
  {
    mark: 'opening after kill -9 with 90,000 of 100,000 tasks done: at least 150,000 entries of the journal a second',
    least: 150_000,
    show: plain('/s'),
    measured: ({ rate }) => rate('opening', 'crash 100000'),
  },
  {
    mark: 'the same from the journal alone, without its index and snapshots: at least 150,000 entries a second',
    least: 150_000,
    show: plain('/s'),
    measured: ({ rate }) => rate('opening', 'journal 100000'),
  },
  {
    mark: 'opening after a clean close of 100,000 tasks: under 1.5 s',
    most: 1500,
    show: plain('ms'),
    measured: ({ median }) => median('opening', 'clean 100000', 'ms'),
  },
  {
    mark: 'opening beside 10,000 finished runs: at most 1.2 × that beside 100',
    most: 1.2,
    show: ratio,
    measured: ({ median }) => median('opening', 'finished 10000', 'ms') / median('opening', 'finished 100', 'ms'),
  },
  { mark: 'event loop at 100,000 tasks: never blocked for more than 50 ms', most: 50, show: plain('ms'), measured: longestBlock },
  {
    mark: 'a 50-task run with retries over three simulated hours: under 50 ms',
    most: 50,
    show: plain('ms'),
    measured: ({ median }) => median('virtual-time', 'retries', 'each'),
  },
  {
    mark: 'many of them, one after the other: at most 20 ms each',
    most: 20,
    show: plain('ms'),
    measured: ({ median }) => median('virtual-time', 'retries', 'each'),
  },
  {
    mark: 'warm worker processes: at least 2,000 attempts per second of processor time',
    least: 2_000,
    show: plain('/s'),
    measured: ({ median }) => median('worker-programs', 'warm', 'perCore'),
  },
  {
    mark: 'a process for each attempt, of a program that loads nothing: at most 1.5 × a bare start of Node',
    most: 1.5,
    show: ratio,
    measured: ({ median }) => median('worker-programs', 'spawned by hand', 'ratio'),
  },
  {
    mark: 'the same, of a program that calls `serveWorker`: at most 1.5 × a start of that program with nothing to do',
    most: 1.5,
    show: ratio,
    measured: ({ median }) => median('worker-programs', 'spawned', 'ratioAlone'),
  },
  {
    mark: 'import: at most 1.3 × its dependencies alone',
    most: 1.3,
    show: ratio,
    measured: ({ median }) => median('footprint', 'flotilla', 'ms') / median('footprint', 'dependencies', 'ms'),
  },
]

/** Holds the figures of one run against the marks. */
export function judge(figures) {
  const summary = (section, key, name) => figures[section]?.[key]?.[name]
  const median = (section, key, name) => summary(section, key, name)?.median ?? NaN
  const look = { summary, median, rate: (section, key) => median(section, key, 'rate') }
  return marks.map(({ mark, least = -Infinity, most = Infinity, stretch, show, measured }) => {
    const value = measured(look)
    if (Number.isNaN(value)) return { mark, verdict: 'not measured' }
    const met = value >= least && value <= most
    return { mark, value, measured: show(value), verdict: met ? (value >= stretch ? 'met, and its stretch' : 'met') : 'missed' }
  })
}

/** The marks as a table. */
export function marksTable(judged) {
  const rows = judged.map(({ mark, measured = '–', verdict }) => [mark, measured, verdict])
  return { title: 'The marks, as ratios of the medians of this run', columns: ['mark', 'measured', ''], rows }
}

/** The very longest of all rounds, not the median: never means never. */
function longestBlock({ summary }) {
  const seen = [
    ...['createBlocked', 'drainBlocked', 'closeBlocked'].map((name) => summary('queues', '100000', name)),
    ...['crash', 'journal', 'clean'].map((kind) => summary('opening', `${kind} 100000`, 'blocked')),
  ]
  return Math.max(...seen.map((one) => one?.max ?? NaN))
}
