import { availableParallelism } from 'node:os'
import { defineConfig } from 'vitest/config'

const conditions = ['flotilla-source', 'module', 'node', 'development|production']
// `npm run test:full` adds the tests that take long.
const isFull = process.env['FLOTILLA_TEST_FULL'] === '1'

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    include: ['test/**/*.test.ts', ...(isFull ? ['test/**/*.full.ts'] : [])],
    // One core is left free by default, which on two cores is half of them; many tests wait for other processes.
    maxWorkers: Math.max(2, availableParallelism()),
    // Long enough for a machine that does other things too: how fast something is belongs into the benchmark.
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
})
