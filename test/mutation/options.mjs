import { parseArgs } from 'node:util'

export const usage = (areas) => `npm run test:mutation -- [options]

  --only A,B        these areas or groups only: ${areas.join(', ')}, or engine/queue
  --sample N        changes one line of N only, four at a time: a first impression of what is large
  --concurrency N   so many tests at once (default 2)
  --fresh           tests everything again, also what has not changed since the last time
  --shown           tests nothing, and shows what the last time found`

/** Reads the command line. Throws with the reason when it cannot. */
export function readOptions(args) {
  const { values } = parseArgs({
    args,
    options: {
      only: { type: 'string' },
      sample: { type: 'string', default: '1' },
      concurrency: { type: 'string', default: '2' },
      fresh: { type: 'boolean', default: false },
      shown: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  })
  const [sample, concurrency] = ['sample', 'concurrency'].map((name) => integerOf(name, values[name]))
  return { ...values, only: values.only?.split(','), sample, concurrency }
}

function integerOf(name, given) {
  const number = Number(given)
  if (!Number.isInteger(number) || number < 1) throw new Error(`--${name}: expected an integer from 1, got ${given}.`)
  return number
}
