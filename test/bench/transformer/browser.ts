import type { AdapterInfo } from '../../../lib/attention/types';
import { median } from '../../../lib/gpu/measure';
import { openPage, type TestPage } from '../../browser/open-page';
import { browserSeconds, call } from '../attention/drive';
import type { PageEngine, Work } from './page';

export interface BrowserBenchOptions {
  readonly contextTokens: number;
  readonly decodeTokens: number;
  readonly runs: number;
}

interface Cost {
  /** Of all processes of the browser, the adapter's own where it is software; undefined where the system does not tell. */
  readonly processorMilliseconds: number | undefined;
  /** Median. */
  readonly wallMilliseconds: number;
  readonly tokensPerWallSecond: number;
}

async function costOf(
  page: TestPage,
  engine: PageEngine,
  work: Work,
  { contextTokens, decodeTokens, runs }: BrowserBenchOptions,
): Promise<Cost> {
  await call(page, 'prepare', engine, work, contextTokens, decodeTokens);
  await call(page, 'sample', 1);
  const before = browserSeconds();
  const wallMilliseconds = median(await call<number[]>(page, 'sample', runs));
  const after = browserSeconds();
  const tokens = work === 'decode' ? decodeTokens : contextTokens;
  return {
    processorMilliseconds:
      before === undefined || after === undefined ? undefined : ((after - before) / runs) * 1000,
    wallMilliseconds,
    tokensPerWallSecond: (1000 * tokens) / wallMilliseconds,
  };
}

/** Prefill and decoding of both engines of the page, one after the other in one browser. */
export async function benchInBrowser(options: BrowserBenchOptions) {
  const page = await openPage({ '/bench.js': 'test/bench/transformer/page.ts' });
  try {
    const adapter = await call<AdapterInfo>(page, 'open');
    const results = [];
    for (const engine of ['wasm', 'webgpu'] as const) {
      results.push({
        engine,
        prefill: await costOf(page, engine, 'prefill', options),
        observedPrefill: await costOf(page, engine, 'observed prefill', options),
        decode: await costOf(page, engine, 'decode', options),
      });
    }
    return {
      adapter: adapter.description || adapter.architecture || adapter.vendor,
      note: adapter.isFallback
        ? 'a software adapter: ratios here say nothing about a GPU'
        : 'a GPU: its own time is in the wall times alone',
      results,
    };
  } finally {
    await page.close();
  }
}
