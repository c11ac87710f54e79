import { availableParallelism } from 'node:os'
import { defineConfig } from 'vitest/config'

const resolve = { conditions: ['source'] }
const ssr = { resolve: { conditions: ['source'] } }

/**
 * Two projects: `unit` runs anywhere; `lab` needs a kernel with IPVS and root inside it, and is started there by
 * `npm test` (see test/run.ts): directly, where the host has both, else inside user-mode Linux.
 */
export default defineConfig({
  test: {
    // Of two processors vitest would use one; most tests wait for something.
    maxWorkers: availableParallelism(),
    projects: [
      {
        resolve,
        ssr,
        test: {
          name: 'unit',
          // Only a test that hangs meets these: a busy machine makes none fail.
          testTimeout: 60_000,
          hookTimeout: 60_000,
          include: ['packages/*/src/**/*.test.ts', 'test/unit/**/*.test.ts'],
          exclude: ['**/*.lab.test.ts', '**/node_modules/**'],
        },
      },
      {
        resolve,
        ssr,
        test: {
          name: 'lab',
          include: ['packages/*/src/**/*.lab.test.ts', 'test/integration/**/*.lab.test.ts'],
          fileParallelism: false,
          testTimeout: 240_000,
          hookTimeout: 120_000,
        },
      },
    ],
  },
})
