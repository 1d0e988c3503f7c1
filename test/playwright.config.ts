import { defineConfig } from 'playwright/test';
import { BROWSER_FLAGS, findBrowser } from '../lib/tools/find-browser.mjs';

const url = process.env.HEADROOM_URL;

/** `npm test` serves the build itself and passes its URL; run alone, this serves `out/`. */
export default defineConfig({
  testDir: './e2e',
  outputDir: '../test-results/e2e',
  timeout: 120_000,
  expect: { timeout: 20_000 },
  workers: 1,
  retries: 0,
  reporter: [['list'], ['json', { outputFile: '../test-results/e2e.json' }]],
  use: {
    baseURL: url ?? 'http://127.0.0.1:4173/',
    launchOptions: { executablePath: await findBrowser(), args: [...BROWSER_FLAGS] },
    screenshot: 'only-on-failure',
    viewport: { width: 1440, height: 900 },
  },
  webServer:
    url === undefined
      ? {
          command: 'node ../lib/tools/serve.mjs --port 4173',
          url: 'http://127.0.0.1:4173/',
          reuseExistingServer: true,
        }
      : undefined,
});
