import type { TestPage } from './open-page';
import type { KernelTests } from './page/entry';

/** Calls a function of the test page by name. */
export function call<Name extends keyof KernelTests>(
  { page }: TestPage,
  name: Name,
  ...args: Parameters<KernelTests[Name]>
): Promise<Awaited<ReturnType<KernelTests[Name]>>> {
  return page.evaluate(
    ([each, values]) => {
      const tests = (globalThis as unknown as { kernelTests: Record<string, unknown> }).kernelTests;
      const run = tests[each as string] as (...list: unknown[]) => unknown;
      return run(...(values as unknown[]));
    },
    [name, args] as const,
  ) as Promise<Awaited<ReturnType<KernelTests[Name]>>>;
}

export const KERNEL_SCRIPTS = {
  '/entry.js': 'test/browser/page/entry.ts',
  '/kernel.worker.js': 'workers/kernel.worker.ts',
  // As the worker's own source names it.
  '/lane.worker.ts': 'workers/lane.worker.ts',
} as const;
