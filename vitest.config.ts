import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

/** Where CI wants the numbers of the run, as Vitest's own JSON. */
const report = process.env.TEST_REPORT;

export default defineConfig({
  test: {
    reporters: report === undefined ? ['default'] : ['default', ['json', { outputFile: report }]],
    include: ['test/**/*.test.ts'],
    globalSetup: ['test/support/global-postgres.ts'],
    // Native imports: the tests resolve every package exactly as production does. With Vite's own runner,
    // graphql's `development` export would be loaded beside the one Pothos loads.
    experimental: { viteModuleRunner: false },
    // One cache of modules for all files of a worker: a fifth of the time was spent on loading the same again. No test changes a
    // module, so that none can tell.
    isolate: false,
    // Half of the time tests wait for processes and disks: on two cores, two at once take half as long as one.
    maxWorkers: Math.max(2, availableParallelism() - 1),
    testTimeout: 30_000,
    hookTimeout: 60_000,
  },
});
