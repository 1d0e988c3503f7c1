import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { basePathOf } from './base-path.mjs';
import { withPolicyMeta } from './csp.mjs';
import { ensureInstall } from './ensure-install.mjs';
import { OUT, ROOT } from './paths.mjs';
import { runCommand } from './run-command.mjs';

/**
 * Builds the static export into `out/` and writes each page's Content-Security-Policy into it.
 * @param {{ basePath?: string }} [options] sub-path such as `/headroom`; default from HEADROOM_BASE_PATH
 */
export async function build(options = {}) {
  const basePath = basePathOf(options.basePath ?? process.env.HEADROOM_BASE_PATH ?? '');
  await ensureInstall();
  const code = await runCommand('npx', ['next', 'build'], {
    cwd: ROOT,
    env: { HEADROOM_BASE_PATH: basePath },
  });
  if (code !== 0) throw new Error(`next build failed with exit code ${code}`);
  for (const entry of readdirSync(OUT, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || !entry.name.endsWith('.html')) continue;
    const path = join(entry.parentPath ?? entry.path, entry.name);
    writeFileSync(path, withPolicyMeta(readFileSync(path, 'utf8')));
  }
  // Hosts that run Jekyll over project pages drop folders that start with an underscore.
  writeFileSync(join(OUT, '.nojekyll'), '');
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  await build().catch((error) => {
    console.error(error.message);
    process.exit(1);
  });
}
