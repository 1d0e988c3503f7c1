import type { TestPage } from './open-page';
import { pageTests, type TestHost } from './open-tests';
import type { KernelTests } from './page/entry';

/** Calls a function of the kernels' test page by name, in a page or wherever it was opened. */
export function call<Name extends keyof KernelTests>(
  at: TestPage | TestHost<KernelTests>,
  name: Name,
  ...args: Parameters<KernelTests[Name]>
): Promise<Awaited<ReturnType<KernelTests[Name]>>> {
  const host = 'call' in at ? at : pageTests<KernelTests>(at);
  return host.call(name, ...args);
}

export const KERNEL_SCRIPTS = {
  '/entry.js': 'test/browser/page/entry.ts',
  '/kernel.worker.js': 'workers/kernel.worker.ts',
  // As the worker's own source names it.
  '/lane.worker.ts': 'workers/lane.worker.ts',
} as const;
