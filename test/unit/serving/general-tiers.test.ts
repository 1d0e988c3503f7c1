import { describe, expect, it } from 'vitest';
import { simulate } from '../../../lib/serving/core/simulation';
import { makeCostModel } from '../../../lib/serving/cost/make-cost-model';
import type { CostModel } from '../../../lib/serving/types';
import { serveParams } from '../../../lib/spec/kinds/serve';
import type { Workload } from '../../../lib/workload/types';

/** Requests 100 s apart, each a list of chunks of 64 tokens and 9 tokens of its own. */
function documents(lists: readonly (readonly number[])[]): Workload {
  const texts = lists.map((chunks, i) => [
    ...chunks.flatMap((chunk) => Array.from({ length: 64 }, (_, t) => 1000 * chunk + t)),
    ...Array.from({ length: 9 }, (_, t) => -1 - 16 * i - t),
  ]);
  let at = 0;
  const offsets = [0];
  for (const { length } of texts) {
    at += length;
    offsets.push(at);
  }
  return {
    arrivalSeconds: Float64Array.from(lists, (_, i) => 100 * i),
    promptTokens: Int32Array.from(texts, ({ length }) => length),
    outputTokens: Int32Array.from(lists, () => 5),
    content: {
      tokensPerId: 1,
      offsets: Int32Array.from(offsets),
      ids: Int32Array.from(texts.flat()),
    },
    label: 'test',
    source: 'test',
    seed: 0,
    notes: [],
  };
}

/** 1 ms, and 1 ms for each prompt token. */
const costModel: CostModel = {
  kind: 'fitted',
  label: 'test',
  source: 'test',
  iterationSeconds: ({ prefillTokens }) => 1e-3 * (1 + prefillTokens),
};
const KV_BYTES = 131_072;

const run = (strategy: object, lists: readonly (readonly number[])[], kvBlocks = 10_000) => {
  const params = serveParams.parse({
    strategy: {
      type: 'composed',
      batchFormer: { type: 'decode-first', tokenBudget: 100_000 },
      ...strategy,
    },
    memory: { kvBlocks, blockTokens: 16, watermark: 0 },
  });
  const result = simulate(params, documents(lists), costModel);
  const ttft = [...result.requests.firstTokenSeconds].map(
    (first, i) => first - (result.requests.arrivalSeconds[i] as number),
  );
  return { ...result, ttft };
};

describe('a store below memory', () => {
  /** A link that takes 64 us for a token: 64 ms for four blocks of 16. */
  const level = {
    capacityGigabytes: 1,
    readGigabytesPerSecond: KV_BYTES / 64e-6 / 1e9,
    writeGigabytesPerSecond: 1000,
    latencyMicroseconds: 0,
  };
  const tiers = (more: object) => ({
    prefixIndex: { type: 'block-hash' },
    tierStore: { type: 'tiers', levels: [level], load: 'always', write: 'through', ...more },
  });
  // The second request takes all of memory, so the third finds nothing there.
  const lists = [
    [1, 2],
    [3, 4],
    [1, 2],
  ];
  const blocks = 10;

  it('gives back what memory has lost, before the prefill or beside it', () => {
    const none = run({ prefixIndex: { type: 'block-hash' } }, lists, blocks);
    // Of ten blocks the second request leaves one: memory evicts from the end of a sequence.
    expect(none.requests.hitTokens).toEqual(Int32Array.of(0, 0, 16));
    expect(none.ttft[2]).toBeCloseTo(1e-3 * (1 + 121), 9);
    const before = run(tiers({}), lists, blocks);
    const read = before.tiers?.[0]?.readTokens ?? 0;
    expect(read).toBe(112);
    expect(before.requests.hitTokens?.[2]).toBe(128);
    expect(before.ttft[2]).toBeCloseTo(read * 64e-6 + 1e-3 * (1 + 9), 9);
    const beside = run(tiers({ overlap: 'layer-wise' }), lists, blocks);
    expect(beside.ttft[2]).toBeCloseTo(Math.max(read * 64e-6, 1e-3 * (1 + 9)), 9);
  });

  it('recomputes where that is faster', () => {
    const slow = { ...level, readGigabytesPerSecond: KV_BYTES / 2e-3 / 1e9 };
    const always = run(tiers({ levels: [slow] }), lists, blocks);
    const cheaper = run(tiers({ levels: [slow], load: 'cheaper' }), lists, blocks);
    expect(always.ttft[2]).toBeGreaterThan(1e-3 * (1 + 121));
    expect(cheaper.ttft[2]).toBeCloseTo(1e-3 * (1 + 121), 9);
    expect(cheaper.tiers?.[0]?.readTokens).toBe(0);
  });

  it('is shared by the replicas where it says so, and holds no more than it can', () => {
    const two = { topology: { type: 'colocated', replicas: 2 }, router: { type: 'round-robin' } };
    const same = [
      [1, 2],
      [1, 2],
    ];
    const apart = run({ ...two, ...tiers({}) }, same);
    expect(apart.requests.hitTokens?.[1]).toBe(0);
    const shared = run({ ...two, ...tiers({ levels: [{ ...level, scope: 'shared' }] }) }, same);
    expect(shared.requests.hitTokens?.[1]).toBe(128);
    const small = { ...level, capacityGigabytes: (48 * KV_BYTES) / 1e9 };
    expect(run(tiers({ levels: [small] }), lists).tiers?.[0]?.storedTokens).toBe(48);
  });
});

describe('chunks at any place', () => {
  const chunks = (reuseRepair: object) => ({
    prefixIndex: { type: 'chunk', chunkTokens: 64 },
    reuseRepair,
  });

  it('are reused but for the fraction that is repaired', () => {
    const { requests, notes } = run(chunks({ type: 'fraction', fraction: 0.25 }), [
      [1, 2, 3],
      [3, 1, 2],
      [4, 2],
    ]);
    // The first chunk of a prompt needs no repair; a chunk that is not known is computed.
    expect([...(requests.hitTokens ?? [])]).toEqual([0, 64 + 48 + 48, 48]);
    expect(notes.join()).toContain('not simulated');
    const prefix = run({ prefixIndex: { type: 'block-hash' } }, [
      [1, 2, 3],
      [3, 1, 2],
    ]);
    expect(prefix.requests.hitTokens?.[1]).toBe(0);
  });

  it('are repaired by how strange their surroundings are, or kept as another version', () => {
    const part = { type: 'per-chunk', contextImpact: 0.5, threshold: 0.4 };
    const { requests } = run(chunks(part), [
      [1, 2, 3],
      [1, 2, 3],
      [2, 1, 3],
      [2, 1],
    ]);
    // Behind the same chunks nothing is repaired. In the third request 2 stands alone: its version was
    // behind 1, an overlap of 0, and 0.5 is too much; so is 1 behind 2; 3 is behind the same two.
    // The fourth finds the versions that the third has left.
    expect([...(requests.hitTokens ?? [])]).toEqual([0, 192, 64, 128]);
  });

  it('come out of a store too', () => {
    const store = {
      type: 'tiers',
      load: 'always',
      write: 'through',
      levels: [{ readGigabytesPerSecond: 1000 }],
    };
    const { requests, tiers } = run(
      { ...chunks({ type: 'fraction', fraction: 0.25 }), tierStore: store },
      [
        [1, 2],
        [3, 4],
        [2, 1],
      ],
      10,
    );
    expect(tiers?.[0]?.readTokens).toBeGreaterThan(0);
    expect(requests.hitTokens?.[2]).toBe(64 + 48);
  });
});

describe('early rejection', () => {
  it('turns away what no replica would have begun in time', () => {
    const base = documents(Array.from({ length: 20 }, (_, i) => [i]));
    const burst = { ...base, arrivalSeconds: base.arrivalSeconds.map(() => 0) };
    const params = serveParams.parse({
      strategy: {
        type: 'composed',
        batchFormer: { type: 'prefill-first', maxBatchedTokens: 73, counting: 'sum' },
        rejection: { type: 'early', ttftSeconds: 0.5, tbtSeconds: 60 },
      },
    });
    const { requests, metrics, notes } = simulate(params, burst, costModel);
    // A prompt takes 74 ms, so the seventh would begin behind 444 ms and end at 518 ms.
    expect(metrics.refused).toBe(14);
    expect([...requests.refused].indexOf(1)).toBe(6);
    expect(metrics.ttftSeconds.max).toBeLessThanOrEqual(0.5);
    expect(notes.join()).toContain('14 requests were rejected early');
    const accepting = serveParams.parse({ strategy: { type: 'composed' } });
    expect(simulate(accepting, burst, makeCostModel(accepting)).metrics.refused).toBe(0);
  });
});
