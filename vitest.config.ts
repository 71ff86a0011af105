import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: ['test/support/global-postgres.ts'],
    // Native imports: the tests resolve every package exactly as production does. With Vite's own runner,
    // graphql's `development` export would be loaded beside the one Pothos loads.
    experimental: { viteModuleRunner: false },
    testTimeout: 30_000,
    hookTimeout: 60_000,
  },
});
