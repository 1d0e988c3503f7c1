import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { findAdapter } from '../../lib/tools/find-adapter.mjs';
import { openDawn } from './open-dawn.mjs';
import { bundle, openPage, type TestPage } from './open-page';

const BUNDLES = new URL('../../test-results/dawn/', import.meta.url).pathname;

type Functions<Tests> = { readonly [Name in keyof Tests]: (...args: never[]) => unknown };

/** The functions of a test page, wherever it runs. */
export interface TestHost<Tests extends Functions<Tests>> {
  /** Calls a function of the page by name. */
  call<Name extends keyof Tests & string>(
    name: Name,
    ...args: Parameters<Tests[Name]>
  ): Promise<Awaited<ReturnType<Tests[Name]>>>;
  close(): Promise<void>;
}

/** Where tests run: `dawn` where the variable HEADROOM_ADAPTER says so, else `chromium`. */
export function hostName(): 'chromium' | 'dawn' {
  const name = process.env.HEADROOM_ADAPTER ?? 'chromium';
  if (name !== 'chromium' && name !== 'dawn') {
    throw new Error(`invalid HEADROOM_ADAPTER: ${name} (expected chromium or dawn)`);
  }
  return name;
}

/** The functions of a page in Chromium. */
export function pageTests<Tests extends Functions<Tests>>({
  page,
  close,
}: TestPage): TestHost<Tests> {
  return {
    close,
    call: (name, ...args) =>
      page.evaluate(
        ([each, values]) => {
          const { kernelTests } = globalThis as unknown as {
            kernelTests: Record<string, (...list: unknown[]) => unknown>;
          };
          return kernelTests[each as string]!(...(values as unknown[]));
        },
        [name, args] as const,
      ) as Promise<never>,
  };
}

/** The functions of a page module in a child process over Dawn, which has no workers. */
async function dawnTests<Tests extends Functions<Tests>>(entry: string): Promise<TestHost<Tests>> {
  const adapter = findAdapter();
  if ('missing' in adapter) throw new Error(`no adapter for Dawn: ${adapter.missing}`);
  mkdirSync(BUNDLES, { recursive: true });
  const file = `${BUNDLES}${entry.replaceAll('/', '-')}-${process.pid}.mjs`;
  writeFileSync(file, await bundle(entry));
  try {
    const { call, close } = await openDawn(adapter, pathToFileURL(file).href);
    return { close, call: (name, ...args) => call(name, args) as Promise<never> };
  } finally {
    rmSync(file);
  }
}

/**
 * Loads the first of `scripts` (path to entry file; the others are its workers) in a headless
 * Chromium, or its module in Node over Dawn; see `hostName`.
 */
export async function openTests<Tests extends Functions<Tests>>(
  scripts: Readonly<Record<string, string>>,
): Promise<TestHost<Tests>> {
  if (hostName() === 'chromium') return pageTests(await openPage(scripts));
  const [entry] = Object.values(scripts);
  if (entry === undefined) throw new Error('invalid scripts: none (expected the entry first)');
  return dawnTests(entry);
}
