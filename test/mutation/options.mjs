import { parseArgs } from 'node:util'

export const usage = (areas) => `npm run test:mutation -- [options]

  --only A,B        these areas or groups only: ${areas.join(', ')}, or engine/queue
  --concurrency N   so many tests at once (default 2)
  --fresh           tests everything again, also what has not changed since the last time
  --shown           tests nothing, and shows what the last time found`

/** Reads the command line. Throws with the reason when it cannot. */
export function readOptions(args) {
  const { values } = parseArgs({
    args,
    options: {
      only: { type: 'string' },
      concurrency: { type: 'string', default: '2' },
      fresh: { type: 'boolean', default: false },
      shown: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  })
  const concurrency = Number(values.concurrency)
  if (!Number.isInteger(concurrency) || concurrency < 1)
    throw new Error(`--concurrency: expected an integer from 1, got ${values.concurrency}.`)
  return { ...values, only: values.only?.split(','), concurrency }
}
