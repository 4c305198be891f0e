import { defineConfig } from 'vitest/config'

const conditions = ['flotilla-source', 'module', 'node', 'development|production']
// `npm run test:full` adds the tests that take long.
const isFull = process.env['FLOTILLA_TEST_FULL'] === '1'

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    include: ['test/**/*.test.ts', ...(isFull ? ['test/**/*.full.ts'] : [])],
    testTimeout: 20_000,
    hookTimeout: 20_000,
  },
})
