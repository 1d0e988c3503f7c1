import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ROOT } from './paths.mjs';
import { runCommand } from './run-command.mjs';

/** Installs the packages when there are none, or when the lock file is newer than they are. */
export async function ensureInstall() {
  const lock = join(ROOT, 'package-lock.json');
  const installed = join(ROOT, 'node_modules/.package-lock.json');
  const isCurrent = existsSync(installed) && statSync(installed).mtimeMs >= statSync(lock).mtimeMs;
  if (isCurrent) return;
  console.log('installing packages (npm ci)');
  const code = await runCommand('npm', ['ci', '--no-audit', '--no-fund'], { cwd: ROOT });
  if (code !== 0) {
    console.error(`npm ci failed with exit code ${code}`);
    process.exit(code);
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) await ensureInstall();
