import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['src/**/*.test.ts', 'test/**/*.test.ts'],
    // Tests start real servers: on two cores the default of 5 s is too near.
    testTimeout: 30_000,
    hookTimeout: 60_000,
    // Two files at once, since the continuous integration has two cores.
    maxWorkers: 2,
  },
});
