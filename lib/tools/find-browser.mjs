import { accessSync, constants, existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { ROOT } from './paths.mjs';
import { runCommand } from './run-command.mjs';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable', 'chrome'];
const FIXED_PLACES = [
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
  'C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe',
];

/** Flags under which WebGPU, workers included, runs headless without a GPU, as root too. */
export const BROWSER_FLAGS = [
  '--no-sandbox',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--enable-unsafe-webgpu',
  '--use-webgpu-adapter=swiftshader',
];

function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

async function playwrightBrowser() {
  try {
    const { chromium } = await import('playwright');
    const path = chromium.executablePath();
    return existsSync(path) ? path : undefined;
  } catch {
    return undefined;
  }
}

async function lookUp() {
  const named = process.env.CHROMIUM;
  if (named !== undefined && named !== '') {
    if (!isExecutable(named))
      throw new Error(`invalid CHROMIUM: ${named} (expected an executable)`);
    return named;
  }
  for (const directory of (process.env.PATH ?? '').split(delimiter)) {
    for (const name of NAMES) {
      const path = join(directory, process.platform === 'win32' ? `${name}.exe` : name);
      if (isExecutable(path)) return path;
    }
  }
  return FIXED_PLACES.find(isExecutable) ?? (await playwrightBrowser());
}

async function install() {
  console.log('no Chromium found: trying the download of Playwright');
  await runCommand('npx', ['playwright', 'install', 'chromium'], { cwd: ROOT });
  const downloaded = await lookUp();
  if (downloaded !== undefined) return downloaded;
  if (process.getuid?.() === 0 && isExecutable('/usr/bin/apt-get')) {
    console.log("trying Debian's package");
    await runCommand('apt-get', ['update', '-q']);
    await runCommand('apt-get', ['install', '-y', '-q', 'chromium']);
  }
  return lookUp();
}

/**
 * Path of a Chromium or Chrome: the CHROMIUM variable, the PATH, the usual places, Playwright's
 * own; with `install`, else Playwright's download, else Debian's package where root.
 * @param {{ install?: boolean }} [options]
 * @returns {Promise<string>}
 */
export async function findBrowser(options = {}) {
  const found = (await lookUp()) ?? (options.install ? await install() : undefined);
  if (found !== undefined) return found;
  throw new Error(
    'no Chromium or Chrome found: set CHROMIUM to its path, or run `npx playwright install chromium`',
  );
}
