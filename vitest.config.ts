import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['src/**/*.test.ts', 'test/**/*.test.ts'],
    // Nothing is tested for how fast it is: these end what hangs. A busy machine may take ten times as long as a quiet one.
    testTimeout: 150_000,
    hookTimeout: 150_000,
    expect: { poll: { timeout: 120_000 } },
    // Two files at once, since the continuous integration has two cores.
    maxWorkers: 2,
  },
});
