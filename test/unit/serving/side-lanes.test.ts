import { describe, expect, it } from 'vitest';
import { simulate } from '../../../lib/serving/core/simulation';
import { makeCostModel } from '../../../lib/serving/cost/make-cost-model';
import { computes } from '../../../lib/serving/lane-roles';
import type { ServeResult, TimelineLane } from '../../../lib/serving/types';
import { serveParams } from '../../../lib/spec/kinds/serve';
import type { Workload } from '../../../lib/workload/types';
import { workloadOf } from './arbitrary-composed';
import { programWorkload } from './arbitrary-programs';

function run(strategy: object, workload: Workload, kvBlocks = 400): ServeResult {
  const params = serveParams.parse({
    strategy: { type: 'composed', ...strategy },
    memory: { kvBlocks, blockTokens: 16, watermark: 0 },
  });
  return simulate(params, workload, makeCostModel(params));
}

const endOf = (lane: TimelineLane, i: number) =>
  (lane.startSeconds[i] as number) + (lane.durationSeconds[i] as number);

describe('lanes beside the replicas', () => {
  it('tell whose KV goes over the link of a decode pool, and when', () => {
    const topology = { type: 'pools', prefillReplicas: 2, decodeReplicas: 1 };
    const load = workloadOf(
      Array.from({ length: 12 }, (_, i) => [i * 0.01, 64 + 8 * i, 10, 0] as const),
    );
    for (const isGeneral of [false, true]) {
      const params = serveParams.parse({ strategy: { type: 'composed', topology } });
      const { lanes, requests } = simulate(params, load, makeCostModel(params), { isGeneral });
      const link = lanes.find(({ role }) => role === 'link') as TimelineLane;
      const ids = [...(link.requestIds ?? [])];
      expect([...ids].sort((a, b) => a - b)).toEqual([...load.promptTokens.keys()]);
      ids.forEach((id, i) => {
        expect(link.prefillTokens[i]).toBe(load.promptTokens[id]);
        expect(link.startSeconds[i]).toBeGreaterThanOrEqual(requests.firstTokenSeconds[id] ?? 0);
        expect(endOf(link, i)).toBeLessThan(requests.completedSeconds[id] ?? 0);
      });
    }
  });

  it('tell whose KV is read from a store, and that writes are nobody’s', () => {
    const level = { scope: 'replica', capacityGigabytes: 1, writeGigabytesPerSecond: 100 };
    const levels = [{ ...level, name: 'DRAM', readGigabytesPerSecond: 50 }];
    const tierStore = { type: 'tiers', load: 'always', write: 'through', levels };
    const turns = [
      { own: 200, output: 5, gap: 0 },
      { own: 9, output: 5, gap: 1 },
    ];
    const load = programWorkload(
      Array.from({ length: 3 }, () => ({ start: 0, system: 2, forks: false, turns })),
    );
    const { lanes } = run({ prefixIndex: { type: 'block-hash' }, tierStore }, load, 20);
    const read = lanes.find(({ traffic }) => traffic === 'read') as TimelineLane;
    const write = lanes.find(({ traffic }) => traffic === 'write') as TimelineLane;
    const readers = [...(read.requestIds ?? [])];
    expect(readers.length).toBeGreaterThan(0);
    // Only second turns find something.
    expect(readers.every((id) => id >= 3)).toBe(true);
    expect(write.requestIds).toBeUndefined();
    expect(write.startSeconds.length).toBeGreaterThan(0);
  });

  it('tell the shares of an accelerator whose phases run at once, and count as no replica', () => {
    const partition = { type: 'static', prefillShare: 0.7, decodeShare: 0.6 };
    const load = workloadOf(Array.from({ length: 20 }, (_, i) => [i * 0.02, 900, 40, 0] as const));
    const { lanes, metrics } = run({ partition }, load);
    const [prefill, decode, share] = lanes as [TimelineLane, TimelineLane, TimelineLane];
    expect(lanes.filter(computes)).toEqual([prefill, decode]);
    expect(metrics.busyFraction).toBeLessThanOrEqual(1);
    const isBusy = (lane: TimelineLane, at: number) =>
      lane.startSeconds.some((start, i) => start <= at && at < endOf(lane, i));
    const seen = new Set<string>();
    share.startSeconds.forEach((start, i) => {
      if (i > 0) expect(start).toBeGreaterThanOrEqual(endOf(share, i - 1));
      const middle = (start + endOf(share, i)) / 2;
      const both = isBusy(prefill, middle) && isBusy(decode, middle);
      // Together they would be 130 %: then they are time-sliced in proportion.
      const expected = both
        ? [538, 462]
        : [isBusy(prefill, middle) ? 700 : 0, isBusy(decode, middle) ? 600 : 0];
      expect([share.prefillTokens[i], share.decodeTokens[i]]).toEqual(expected);
      seen.add(expected.join());
    });
    expect(seen).toContain('538,462');
    expect(seen).toContain('0,600');
  });
});
