import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from 'playwright';
import { BROWSER_FLAGS, findBrowser } from '../../tools/find-browser.mjs';
import { OUT } from '../../tools/paths.mjs';
import { startStaticServer } from '../../tools/static-server.mjs';

const SOFTWARE_ADAPTER = '--use-webgpu-adapter=swiftshader';
const START_MILLISECONDS = 60_000;

/** The built page's headless runner, open in a browser of its own. */
export interface RunnerPage {
  /** Calls `window.headroomRun`; see `createHeadlessRunner`. `path` is that of the file that its cells read. */
  run(notebookJson: string, path?: string): Promise<string>;
  close(): Promise<void>;
}

async function launch(flags: readonly string[]) {
  const { chromium } = await import('playwright');
  return chromium.launch({ executablePath: await findBrowser(), args: [...flags] });
}

async function openRunner(url: string, flags: readonly string[]) {
  const browser = await launch(flags);
  try {
    const page: Page = await browser.newPage();
    await page.goto(`${url}run/`, { timeout: START_MILLISECONDS });
    await page.waitForSelector('[data-runner="ready"]', { timeout: START_MILLISECONDS });
    const hasAdapter = await page.evaluate(
      async () => ((await navigator.gpu?.requestAdapter()) ?? undefined) !== undefined,
    );
    return { browser, page, hasAdapter };
  } catch (error) {
    await browser.close();
    throw error;
  }
}

/**
 * Serves the static export on the loopback address and opens its runner, on this machine's GPU if
 * Chromium gives an adapter for it, else on the software adapter, which results then name.
 * @param directory the static export
 * @throws Error with one sentence where there is no build or no browser
 */
export async function openRunnerPage(directory: string = OUT): Promise<RunnerPage> {
  if (!existsSync(join(directory, 'run', 'index.html')))
    throw new Error(
      'attention on WebGPU needs the built page: run `npm run build` first, or pass --cpu',
    );
  const server = await startStaticServer(directory, {
    port: 0,
    basePath: process.env.HEADROOM_BASE_PATH ?? '',
  });
  try {
    const hardware = BROWSER_FLAGS.filter((flag) => flag !== SOFTWARE_ADAPTER);
    let opened = await openRunner(server.url, hardware);
    if (!opened.hasAdapter) {
      await opened.browser.close();
      opened = await openRunner(server.url, BROWSER_FLAGS);
    }
    const { browser, page } = opened;
    return {
      async run(notebookJson, path) {
        // The browser opens the file itself: nothing of it passes through here.
        await page.setInputFiles('input[type=file]', path ?? []);
        return page.evaluate((json) => {
          type Run = (text: string, file: File | undefined) => Promise<string>;
          const run = (window as { headroomRun?: Run }).headroomRun;
          if (run === undefined) throw new Error('this build has no headless runner');
          return run(json, document.querySelector('input')?.files?.[0]);
        }, notebookJson);
      },
      async close() {
        await browser.close();
        await server.close();
      },
    };
  } catch (error) {
    await server.close();
    throw error;
  }
}
