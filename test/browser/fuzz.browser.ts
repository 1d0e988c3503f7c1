import { expect, test } from 'vitest';
import { openTests, type TestHost } from './open-tests';
import type { FuzzTests } from './page/fuzz';

/** Seeds in the suite; HEADROOM_FUZZ_SECONDS runs as long, from HEADROOM_FUZZ_SEED on. */
const SEEDS = 30;
/** A page of its own for as many: pipelines of every head size would fill the GPU process. */
const SEEDS_PER_PAGE = 150;

const seconds = Number(process.env.HEADROOM_FUZZ_SECONDS ?? 0);
const firstSeed = Number(process.env.HEADROOM_FUZZ_SEED ?? 1);

test('any storage, kernel and shape equals attention by its definition in f64', {
  timeout: 300_000 + 2000 * seconds,
}, async () => {
  const end = performance.now() + 1000 * seconds;
  const problems: unknown[] = [];
  const counts = new Map<string, number>();
  let seed = firstSeed;
  let page: TestHost<FuzzTests> | undefined;
  const isOver = () => (seconds > 0 ? performance.now() > end : seed >= firstSeed + SEEDS);
  while (!isOver()) {
    page ??= await openTests<FuzzTests>({ '/fuzz.js': 'test/browser/page/fuzz.ts' });
    const outcome = await page.call('fuzz', seed);
    counts.set(outcome.engine, (counts.get(outcome.engine) ?? 0) + 1);
    if (outcome.problem !== undefined) problems.push(outcome);
    seed++;
    if ((seed - firstSeed) % SEEDS_PER_PAGE === 0) {
      await page.close();
      page = undefined;
    }
  }
  await page?.close();
  if (seconds > 0) {
    const rows = [...counts].sort().map(([engine, count]) => `${engine}: ${count}`);
    process.stderr.write(`${seed - firstSeed} calls\n${rows.join('\n')}\n`);
  }
  expect(problems).toEqual([]);
});
