import { describe, expect, it } from 'vitest';
import {
  anchorWeights,
  createAnchorPool,
  entropyBits,
} from '../../../../lib/cache/reuse/anchor-pool';
import {
  cacheBlendSession,
  squaredDeviation,
  topRows,
} from '../../../../lib/cache/reuse/cache-blend';
import {
  type ContextualChunk,
  contextImpact,
  prefixOverlap,
  recomputeShare,
} from '../../../../lib/cache/reuse/cache-craft';
import { concatenate, planChunks, type StoredChunk } from '../../../../lib/cache/reuse/chunks';
import { createRowCache } from '../../../../lib/cache/rows/row-cache';
import { attendRow } from '../../../../lib/transformer/attend';
import type { AttentionCache } from '../../../../lib/transformer/types';
import { tinyModel, tinyText } from '../../speculate/tiny-model';

describe('APE on small numbers', () => {
  it('divides the scores by T and multiplies the log-sum-exp by S T', () => {
    const part = (keys: number[], values: number[]) => ({
      count: keys.length,
      keys: Float32Array.from(keys),
      values: Float32Array.from(values),
      positions: new Int32Array(keys.length),
    });
    const chunks = { ...part([2, 1], [1, 0]), temperature: 0.5, lseScale: 0.8 * 0.5 };
    const { output } = attendRow(Float32Array.of(1), 1, 1, 9, [chunks, part([1], [3])], false);
    // Chunks: scores 4 and 2, softmax 0.880797 and 0.119203, lse 4.126928, scaled 1.650771.
    // Other: lse 1. Share of the chunks 1 / (1 + exp(1 - 1.650771)) = 0.657186.
    expect(output[0]).toBeCloseTo(0.657186 * 0.880797 + (1 - 0.657186) * 3, 4);
  });
});

describe('CacheBlend on small numbers', () => {
  it('scores a token by the squared deviation of its values over all heads', () => {
    const fresh = Float32Array.of(1, 2, 3, 4, 0, 0);
    const held = Float32Array.of(1, 0, 3, 3, 2, 2);
    expect([...squaredDeviation(fresh, held, 3)]).toEqual([4, 1, 8]);
    expect([...topRows(Float64Array.of(4, 1, 8, 4), 2)]).toEqual([0, 2]);
    expect([...topRows(Float64Array.of(4, 1), 0)]).toEqual([]);
  });

  it('overwrites the chosen rows above the check layer and no others', () => {
    const model = tinyModel(6);
    const context = tinyText(6, 24);
    const chunkStarts = [1, 8, 16];
    const stale = createRowCache(model.config);
    concatenate(model, stale, context, planChunks(context, chunkStarts, 1));
    let cache: AttentionCache | undefined;
    const runs: number[] = [];
    const session = cacheBlendSession({ ratio: 0.25 }).open({
      ...model,
      forward(step) {
        if (step.fromLayer === 1) runs.push(...Array.from(step.positions));
        cache = step.cache;
        return model.forward(step);
      },
    });
    session.prefill(context, { chunkStarts });
    expect(runs).toHaveLength(6);
    // The first chunk follows the prefix as it did alone: it cannot have moved.
    expect(runs.every((position) => position >= 8)).toBe(true);
    for (const layer of [1, 2]) {
      const values = cache!.parts(layer, 0)[0]!.values;
      const before = stale.head(layer, 0).values;
      const changed = context
        .map((_, i) => i)
        .filter((i) => [0, 1, 2, 3].some((d) => values[i * 4 + d] !== before[i * 4 + d]));
      expect(changed).toEqual(runs);
    }
  });

  it('refuses a share or a layer that does not exist', () => {
    expect(() => cacheBlendSession({ ratio: 1.2 })).toThrow('invalid ratio: 1.2');
    expect(() => cacheBlendSession({ checkLayer: 3 }).open(tinyModel(1))).toThrow(
      'invalid checkLayer: 3 (expected 0..2)',
    );
  });
});

describe('Cache-Craft on small numbers', () => {
  const record: ContextualChunk = {
    id: 3,
    chunk: { tokens: [4, 4, 4, 4], layers: [] },
    before: [0, 1, 2],
    massOn: new Map([
      [0, 0.5],
      [1, 0.25],
      [2, 0.25],
    ]),
    ownMass: 3,
    outside: Float64Array.of(0.4, 0.3, 0.2, 0.1),
  };

  it('recomputes alpha x impact x (1 - overlap)', () => {
    expect(contextImpact(record)).toBe(0.25);
    expect(prefixOverlap(record, [0, 1, 2])).toBe(1);
    // 0 and 1 stand before it, in the other order: 0.75 of the mass, no pair kept.
    expect(prefixOverlap(record, [1, 0])).toBe(0);
    expect(prefixOverlap(record, [0, 2])).toBe(0.75);
    // (0, 1) and (0, 2) turned round, (1, 2) kept.
    expect(prefixOverlap(record, [1, 2, 0])).toBeCloseTo(1 / 3, 12);
    expect(recomputeShare(record, [0, 2], 2)).toBe(2 * 0.25 * 0.25);
    expect(recomputeShare(record, [], 8)).toBe(1);
  });

  it('leaves alone what drew from no other chunk', () => {
    const alone = { ...record, massOn: new Map(), before: [] };
    expect(recomputeShare(alone, [0, 1], 5)).toBe(0);
  });
});

describe('KVComm on small numbers', () => {
  const chunk = (...numbers: number[]): StoredChunk => ({
    tokens: [7],
    layers: [0, 1].map(() => ({
      keys: Float32Array.from(numbers),
      values: Float32Array.from(numbers),
    })),
  });

  it('weighs anchors by the softmax of the negative distance', () => {
    const weights = anchorWeights([0, Math.log(3)]);
    expect(weights[0]).toBeCloseTo(0.75, 12);
    expect(entropyBits([0.5, 0.5])).toBe(1);
    expect(entropyBits([1, 0])).toBe(0);
  });

  it('adds the weighted offset above layer 0', () => {
    const pool = createAnchorPool({ maxAnchors: 4, entropyThreshold: 1 });
    pool.add({ alone: chunk(0), offset: chunk(4) });
    expect(pool.predict(chunk(0))).toBeUndefined();
    // Distance over keys and values together is ln 3, so the weights at 0 are 3/4 and 1/4.
    pool.add({ alone: chunk(Math.log(3) / 2), offset: chunk(8) });
    const shifted = pool.predict(chunk(0))!;
    expect(shifted.layers[1]!.keys[0]).toBeCloseTo(0.75 * 4 + 0.25 * 8, 5);
    expect(shifted.layers[0]!.keys[0]).toBe(0);
  });

  it('asks for a new anchor when it cannot tell the ones it has apart', () => {
    const pool = createAnchorPool({ maxAnchors: 4, entropyThreshold: 0.9 });
    pool.add({ alone: chunk(1), offset: chunk(4) });
    pool.add({ alone: chunk(-1), offset: chunk(8) });
    expect(pool.predict(chunk(0))).toBeUndefined();
    expect(pool.predict(chunk(1))).toBeDefined();
  });

  it('lets the least used of the oldest go, and no anchor serve a longer chunk', () => {
    const pool = createAnchorPool({ maxAnchors: 2, entropyThreshold: 1 });
    for (let i = 0; i < 3; i++) pool.add({ alone: chunk(i * 100), offset: chunk(i) });
    expect(pool.size).toBe(2);
    expect(pool.predict(chunk(100))!.layers[1]!.keys[0]).toBeCloseTo(101, 5);
    expect(pool.predict(chunk(1))!.layers[1]!.keys[0]).toBeCloseTo(2, 5);
    const longer = { ...chunk(1), tokens: [7, 7] };
    expect(pool.predict(longer)).toBeUndefined();
  });
});
