import { pathToFileURL } from 'node:url';
import { findAdapter } from './find-adapter.mjs';
import { installAdapter } from './install-adapter.mjs';
import { ROOT } from './paths.mjs';
import { runCommand } from './run-command.mjs';

/** One small kernel of every make; the other files would compile for an hour on llvmpipe. */
const FILE = 'adapter.browser.ts';
const OPEN_SECONDS = 20;

/** Opens the adapter in a child process and asks it what it is. */
async function probe(adapter) {
  const { openDawn } = await import('../../test/browser/open-dawn.mjs');
  const host = await openDawn(adapter);
  const late = new Promise((_, reject) => {
    setTimeout(
      () => reject(new Error(`no answer in ${OPEN_SECONDS} s`)),
      OPEN_SECONDS * 1e3,
    ).unref();
  });
  try {
    return await Promise.race([host.call('describeAdapter', []), late]);
  } finally {
    await host.close();
  }
}

/**
 * Whether the kernel tests can run on a second adapter, of another subgroup size than the
 * browser's: the file for vitest and what it runs on, or why they are skipped. Fetches the
 * adapter only where HEADROOM_INSTALL_ADAPTER=1 asks for it.
 * @throws Error where a variable names something that is not there
 * @returns {Promise<{ file: string, adapter: string, env: Record<string, string> } | { skipped: string }>}
 */
export async function secondAdapter() {
  let found = findAdapter();
  try {
    if (process.env.HEADROOM_INSTALL_ADAPTER === '1' && 'missing' in found) {
      await installAdapter();
      found = findAdapter();
    }
    if ('missing' in found) return { skipped: found.missing };
    const adapter = await probe(found);
    if (adapter === undefined) {
      const driver = found.env.VK_DRIVER_FILES ?? 'the system';
      return { skipped: `Dawn finds no adapter through ${driver} (it refuses Mesa before 23)` };
    }
    const sizes = [...new Set(adapter.subgroupSizes)].join(' to ');
    return {
      file: FILE,
      adapter: `${adapter.name}, subgroup size ${sizes}, features ${adapter.features.join(', ')}`,
      env: { HEADROOM_ADAPTER: 'dawn' },
    };
  } catch (error) {
    return { skipped: error instanceof Error ? error.message : String(error) };
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const second = await secondAdapter();
  if ('skipped' in second) {
    console.log(`SKIPPED: the kernels did not run on a second adapter: ${second.skipped}`);
  } else {
    console.log(`running on ${second.adapter}`);
    const args = ['vitest', 'run', '--config', 'test/vitest.browser.config.ts', second.file];
    process.exitCode = await runCommand('npx', args, { cwd: ROOT, env: second.env });
  }
}
