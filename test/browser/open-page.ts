import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { build } from 'esbuild';
import { type Browser, chromium, type Page } from 'playwright';
import { BROWSER_FLAGS, findBrowser } from '../../lib/tools/find-browser.mjs';

const ROOT = new URL('../..', import.meta.url).pathname;

export interface TestPage {
  readonly page: Page;
  readonly browser: Browser;
  close(): Promise<void>;
}

/** Bundles one entry for the browser; `.wgsl` files become text, as in the page's build. */
export async function bundle(entry: string): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [entry],
    absWorkingDir: ROOT,
    bundle: true,
    write: false,
    format: 'esm',
    target: 'es2022',
    loader: { '.wgsl': 'text' },
    define: { 'process.env.HEADROOM_BASE_PATH': '""' },
    logLevel: 'silent',
  });
  return outputFiles[0]!.text;
}

/**
 * Opens a page, cross-origin isolated unless told otherwise, on the loopback address whose scripts are the bundles of
 * `scripts` (path to entry file) and loads the first of them. `extra` answers other paths.
 */
export async function openPage(
  scripts: Readonly<Record<string, string>>,
  options: {
    readonly flags?: readonly string[];
    readonly extra?: (path: string) => { type: string; body: Uint8Array } | undefined;
    /** False leaves out the headers that isolate the page, as a static host does. */
    readonly isIsolated?: boolean;
  } = {},
): Promise<TestPage> {
  const bodies = new Map<string, string>();
  for (const [path, entry] of Object.entries(scripts)) bodies.set(path, await bundle(entry));
  const [first] = bodies.keys();
  const html = `<!doctype html><meta charset="utf-8"><title>tests</title><script type="module" src="${first}"></script>`;
  const server = createServer((request, response) => {
    const path = new URL(request.url ?? '/', 'http://localhost').pathname;
    const script = bodies.get(path);
    const extra = options.extra?.(path);
    const isPage = path === '/';
    if (options.isIsolated !== false) {
      response.setHeader('Cross-Origin-Opener-Policy', 'same-origin');
      response.setHeader('Cross-Origin-Embedder-Policy', 'require-corp');
    }
    if (isPage) response.setHeader('Content-Type', 'text/html');
    else response.setHeader('Content-Type', extra?.type ?? 'text/javascript');
    if (!isPage && script === undefined && extra === undefined) {
      // The browser asks for an icon; an empty answer keeps its console clean.
      response.statusCode = path === '/favicon.ico' ? 204 : 404;
    }
    response.end(isPage ? html : (script ?? extra?.body ?? ''));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const browser = await chromium.launch({
    executablePath: await findBrowser(),
    args: [...(options.flags ?? BROWSER_FLAGS)],
  });
  const page = await browser.newPage();
  page.on('pageerror', (error) => console.error('page error:', error.message));
  page.on('console', (message) => {
    if (message.type() === 'error') console.error('page:', message.text());
  });
  await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
  await page.waitForFunction(() => 'kernelTests' in globalThis, undefined, { timeout: 30_000 });
  return {
    page,
    browser,
    close: async () => {
      await browser.close();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
