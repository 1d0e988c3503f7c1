import { defineConfig } from 'vitest/config';

/** Tests that drive a headless Chromium; one at a time, because they share the machine's processors. */
export default defineConfig({
  root: new URL('..', import.meta.url).pathname,
  test: {
    include: ['test/browser/**/*.browser.ts'],
    testTimeout: 120_000,
    hookTimeout: 120_000,
    fileParallelism: false,
  },
});
