import { configDefaults, defineConfig } from 'vitest/config'

/** One place for how tests run: real servers once per run, two files at a time. */
export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // The crash matrix needs the machine for itself: npm run test:crash.
    exclude: [...configDefaults.exclude, 'test/crash/matrix.test.ts'],
    globalSetup: ['test/support/global-setup.ts'],
    pool: 'forks',
    maxWorkers: 2,
    // Limits only guard against hanging: a machine that does other things too may be slow.
    testTimeout: 120_000,
    hookTimeout: 180_000,
    teardownTimeout: 30_000,
    reporters: ['default'],
  },
})
