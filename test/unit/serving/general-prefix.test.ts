import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { simulate } from '../../../lib/serving/core/simulation';
import { makeCostModel } from '../../../lib/serving/cost/make-cost-model';
import type { Audited } from '../../../lib/serving/general/state';
import { computes } from '../../../lib/serving/lane-roles';
import type { TimelineLane } from '../../../lib/serving/types';
import { serveParams } from '../../../lib/spec/kinds/serve';
import { cached } from './arbitrary-cached';
import { programs, programWorkload } from './arbitrary-programs';

/** Used, cached and free blocks are all there are, and what is used is what requests hold. */
function expectLedger({ replica, blocksHeld }: Audited, isAlone: boolean): void {
  const { cache, blocksUsed, blocksTotal } = replica;
  const cachedBlocks = cache?.cachedBlocks ?? 0;
  expect(cachedBlocks).toBeGreaterThanOrEqual(0);
  expect(blocksUsed + cachedBlocks).toBeLessThanOrEqual(blocksTotal);
  if (!isAlone || cache === undefined) return;
  const { held, references } = cache.census();
  const all = blocksHeld.reduce((a, b) => a + b, 0);
  // What requests hold, a shared block once: blocks of their own, and named ones.
  expect(blocksUsed).toBe(all - references + held);
}

/** What happens on a lane happens one after the other. */
function expectOrder({ startSeconds, durationSeconds, role }: TimelineLane): void {
  startSeconds.forEach((start, i) => {
    expect(durationSeconds[i]).toBeGreaterThanOrEqual(role === 'link' ? 0 : 1e-9);
    if (i === 0) return;
    const end = (startSeconds[i - 1] as number) + (durationSeconds[i - 1] as number);
    expect(start).toBeGreaterThanOrEqual(end - 1e-9);
  });
}

describe('a prefix index', () => {
  it('loses no block and no token, whatever the strategy and the eviction', () => {
    const seen = { hits: 0, restarts: 0, read: 0 };
    fc.assert(
      fc.property(
        cached,
        programs,
        fc.integer({ min: 20, max: 160 }),
        fc.constantFrom(1, 4, 16),
        (strategy, list, kvBlocks, blockTokens) => {
          const params = serveParams.parse({ strategy, memory: { kvBlocks, blockTokens } });
          const workload = programWorkload(list);
          const isAlone =
            strategy.topology.type === 'colocated' && strategy.topology.replicas === 1;
          const result = simulate(params, workload, makeCostModel(params), {
            audit: (audited) => expectLedger(audited, isAlone),
          });
          const { metrics, requests, prefixCache, lanes } = result;
          expect(metrics.completed + metrics.refused).toBe(workload.promptTokens.length);
          for (const lane of lanes) expectOrder(lane);
          const computed = lanes
            .filter(computes)
            .reduce((sum, lane) => sum + lane.prefillTokens.reduce((a, b) => a + b, 0), 0);
          const hits = prefixCache?.hitTokens ?? Number.NaN;
          if (metrics.restarts === 0) {
            const prompts = requests.promptTokens.reduce(
              (a, b, i) => a + (requests.refused[i] === 1 ? 0 : b),
              0,
            );
            expect(computed + hits).toBe(prompts);
            expect(prefixCache?.queriedTokens).toBe(prompts);
          } else
            expect(computed + hits).toBeLessThanOrEqual(prefixCache?.queriedTokens ?? Number.NaN);
          seen.hits += hits;
          seen.restarts += metrics.restarts;
          for (const tier of result.tiers ?? []) {
            seen.read += tier.readTokens;
            expect(tier.storedTokens).toBeLessThanOrEqual(tier.writtenTokens);
          }
        },
      ),
      { numRuns: 150 },
    );
    expect(seen.hits).toBeGreaterThan(50);
    expect(seen.restarts).toBeGreaterThan(0);
    expect(seen.read).toBeGreaterThan(0);
  });

  it('finds the longest common beginning of requests that come one at a time', () => {
    fc.assert(
      fc.property(
        programs,
        fc.constantFrom('block-hash', 'radix'),
        fc.constantFrom(1, 4, 16),
        (list, type, blockTokens) => {
          const params = serveParams.parse({
            strategy: { type: 'composed', prefixIndex: { type } },
            memory: { kvBlocks: 100_000, blockTokens },
          });
          const { programs: _, ...all } = programWorkload(list);
          const workload = { ...all, arrivalSeconds: all.arrivalSeconds.map((_, i) => i * 100) };
          const { requests } = simulate(params, workload, makeCostModel(params));
          const { offsets, ids } = workload.content as NonNullable<typeof workload.content>;
          const textOf = (i: number) => [...ids.subarray(offsets[i], offsets[i + 1])];
          workload.promptTokens.forEach((prompt, i) => {
            const own = textOf(i);
            let longest = 0;
            for (let j = 0; j < i; j++) {
              // The last token of a text was never fed.
              const other = textOf(j).slice(0, -1);
              let common = 0;
              while (common < other.length && other[common] === own[common]) common++;
              longest = Math.max(longest, Math.min(common, prompt - 1));
            }
            const expected =
              type === 'radix' ? longest : Math.floor(longest / blockTokens) * blockTokens;
            expect(requests.hitTokens?.[i]).toBe(expected);
          });
        },
      ),
      { numRuns: 60 },
    );
  });

  it('gives the same bits again', () => {
    fc.assert(
      fc.property(
        cached,
        programs,
        fc.integer({ min: 20, max: 160 }),
        (strategy, list, kvBlocks) => {
          const params = serveParams.parse({ strategy, memory: { kvBlocks, blockTokens: 4 } });
          const run = () => simulate(params, programWorkload(list), makeCostModel(params));
          const { wallSeconds: _, ...first } = run();
          const { wallSeconds: __, ...again } = run();
          expect(again).toEqual(first);
        },
      ),
      { numRuns: 30 },
    );
  });
});
