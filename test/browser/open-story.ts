import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';
import { type Browser, chromium } from 'playwright';
import { findBrowser } from '../../lib/tools/find-browser.mjs';
import { startStaticServer } from '../../lib/tools/static-server.mjs';

const ROOT = new URL('../..', import.meta.url).pathname;

export interface Story {
  readonly browser: Browser;
  readonly url: string;
  close(): Promise<void>;
}

/**
 * A component on a page of its own, with the headers of the product's server.
 *
 * @param entry script that renders it
 * @param files of `public/` that it needs
 */
export async function openStory(entry: string, files: readonly string[]): Promise<Story> {
  const folder = mkdtempSync(join(tmpdir(), 'headroom-story-'));
  await build({
    entryPoints: { story: entry },
    absWorkingDir: ROOT,
    outdir: folder,
    bundle: true,
    splitting: true,
    format: 'esm',
    target: 'es2022',
    jsx: 'automatic',
    define: {
      'process.env.NODE_ENV': '"production"',
      'process.env.HEADROOM_BASE_PATH': '""',
    },
    logLevel: 'silent',
  });
  for (const file of files) copyFileSync(join(ROOT, 'public', file), join(folder, file));
  const head =
    '<meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>story</title><link rel="icon" href="data:,"><link rel="stylesheet" href="story.css">';
  writeFileSync(
    join(folder, 'index.html'),
    `<!doctype html><html lang="en"><head>${head}</head><body><script type="module" src="story.js"></script></body></html>`,
  );
  const server = await startStaticServer(folder);
  const browser = await chromium.launch({ executablePath: await findBrowser() });
  return {
    browser,
    url: server.url,
    close: async () => {
      await browser.close();
      await server.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
