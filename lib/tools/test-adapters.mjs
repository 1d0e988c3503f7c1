import { findAdapter } from './find-adapter.mjs';
import { installAdapter } from './install-adapter.mjs';

/** Tests of kernels without workers or a page; each runs in Node as it runs in a browser. */
const FILES = ['kernels', 'half', 'quantised', 'recurrent', 'formula'];
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
 * browser's: the arguments for vitest and what they run on, or why they are skipped. Fetches the
 * adapter only where HEADROOM_INSTALL_ADAPTER=1 asks for it.
 * @returns {Promise<{ files: readonly string[], adapter: string, env: Record<string, string> } | { skipped: string }>}
 */
export async function secondAdapter() {
  try {
    if (process.env.HEADROOM_INSTALL_ADAPTER === '1' && 'missing' in findAdapter()) {
      await installAdapter();
    }
    const found = findAdapter();
    if ('missing' in found) return { skipped: found.missing };
    const adapter = await probe(found);
    if (adapter === undefined) {
      const driver = found.env.VK_DRIVER_FILES ?? 'the system';
      return { skipped: `Dawn finds no adapter through ${driver} (it refuses Mesa before 23)` };
    }
    const sizes = [...new Set(adapter.subgroupSizes)].join(' to ');
    return {
      files: FILES,
      adapter: `${adapter.name}, subgroup size ${sizes}, features ${adapter.features.join(', ')}`,
      env: { HEADROOM_ADAPTER: 'dawn' },
    };
  } catch (error) {
    return { skipped: error instanceof Error ? error.message : String(error) };
  }
}
