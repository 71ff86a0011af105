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
    testTimeout: 30_000,
    hookTimeout: 60_000,
  },
});
