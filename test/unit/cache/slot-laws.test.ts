import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { applyRope } from '../../../lib/attention/position/rope';
import { ACTIONS } from '../../../lib/cache/policy/action-table';
import { type ActedHead, plainRun } from '../../../lib/cache/policy/actions';
import { documentsOf, tableOf } from '../../../lib/cache/slots/index-rule';
import { createRotation } from '../../../lib/cache/slots/rotation';
import { createSlotCache, type SlotCacheOptions } from '../../../lib/cache/slots/slot-cache';
import { createRandom } from '../../../lib/random/random';
import { attendRow } from '../../../lib/transformer/attend';
import { prefill } from '../../../lib/transformer/generate';
import { ropeOf } from '../../../lib/transformer/reference';
import { randomModel, randomTokens, SMALL } from './random-model';

const { headSize } = SMALL;
const rope = ropeOf(SMALL);
const model = randomModel(11);
const rows = (seed: number, count: number) => {
  const random = createRandom(seed);
  return Float32Array.from({ length: count * headSize }, () => random.normal());
};
const close = (got: ArrayLike<number>, expected: ArrayLike<number>, digits = 5) => {
  expect(got.length).toBe(expected.length);
  for (let i = 0; i < got.length; i++) expect(got[i]).toBeCloseTo(expected[i]!, digits);
};

/** One head's slots in a cache, and what a query at `position` gets of them. */
function output(
  runs: Parameters<ReturnType<typeof createSlotCache>['replace']>[2],
  position: number,
  options: SlotCacheOptions = {},
): Float32Array {
  const cache = createSlotCache(SMALL, { storage: 'f32', ...options });
  cache.replace(0, 0, runs);
  const query = Float32Array.from(applyRope(rows(99, 1), [cache.queryIndex(0, 0, position)], rope));
  const parts = cache.parts(0, 0, { queries: query, position });
  return attendRow(query, 1, headSize, position, parts, false).output;
}

describe('laws of slots', () => {
  it('merges equal keys exactly when the slot counts as many, and not otherwise', () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 9 }), fc.nat(1000), (copies, seed) => {
        const key = rows(seed, 1);
        const values = rows(seed + 1, copies + 3);
        const others = rows(seed + 2, 3);
        // Equal keys before RoPE at one position: the same token again and again.
        const apart = {
          form: 'plain' as const,
          headSize,
          keys: Float32Array.from([
            ...others,
            ...Array.from({ length: copies }, () => [...key]).flat(),
          ]),
          values,
          positions: Int32Array.from({ length: copies + 3 }, (_, i) => Math.min(i, 3)),
        };
        const mean = new Float32Array(headSize);
        for (let i = 0; i < copies * headSize; i++) {
          mean[i % headSize]! += values[3 * headSize + i]! / copies;
        }
        const merged = (multiplicity: number) => ({
          form: 'plain' as const,
          headSize,
          keys: Float32Array.from([...others, ...key]),
          values: Float32Array.from([...values.subarray(0, 3 * headSize), ...mean]),
          positions: Int32Array.of(0, 1, 2, 3),
          multiplicity: Float32Array.of(1, 1, 1, multiplicity),
        });
        const exact = output([apart], 9);
        close(output([merged(copies)], 9), exact);
        const biased = output([merged(1)], 9);
        const error = Math.max(...biased.map((value, d) => Math.abs(value - exact[d]!)));
        expect(error).toBeGreaterThan(1e-4);
      }),
      { numRuns: 25 },
    );
  });

  it('reads a moved slot as if it had been encoded at its new place', () => {
    const cache = createSlotCache(SMALL, { storage: 'f32', rule: { type: 'slot-index' } });
    prefill(model, cache, randomTokens(1, 30), 0);
    const before = cache.head(1, 0).keys().slice();
    const kept = Int32Array.of(0, 1, 7, 20, 29);
    cache.keep(1, 0, kept);
    const raw = Array.from(kept, (slot) => [
      ...before.subarray(slot * headSize, (slot + 1) * headSize),
    ]).flat();
    close(cache.head(1, 0).rotatedKeys(), applyRope(raw, [0, 1, 2, 3, 4], rope));
    expect(cache.queryIndex(1, 0, 30)).toBe(5);
  });

  it('clamps distances only beyond the window', () => {
    const context = randomTokens(2, 24);
    const logits = (rule: SlotCacheOptions['rule']) => {
      const cache = createSlotCache(SMALL, { storage: 'f32', ...(rule ? { rule } : {}) });
      return prefill(model, cache, context, 0);
    };
    close(logits({ type: 'clamped-far', windowTokens: 24 }), logits(undefined));
    const far = output(
      [
        {
          form: 'plain',
          headSize,
          keys: rows(3, 2),
          values: rows(4, 2),
          positions: Int32Array.of(2, 95),
        },
      ],
      100,
      { rule: { type: 'clamped-far', windowTokens: 10 } },
    );
    const near = output(
      [
        {
          form: 'plain',
          headSize,
          keys: rows(3, 2),
          values: rows(4, 2),
          positions: Int32Array.of(90, 95),
        },
      ],
      100,
    );
    close(far, near);
  });

  it('counts positions anew in every chunk, and goes on after the last', () => {
    const rule = tableOf({ type: 'restart' }, documentsOf([0, 3, 5], 8));
    expect(rule).toEqual({ type: 'table', indexOf: Int32Array.of(0, 1, 2, 0, 1, 0, 1, 2) });
    const cache = createSlotCache(SMALL, { storage: 'f32', rule });
    expect(cache.queryIndex(0, 0, 9)).toBe(4);
  });

  it('turns a rotated key back', () => {
    const key = rows(5, 1);
    const turned = new Float32Array(headSize);
    const rotation = createRotation(rope);
    rotation.rotate(key, Int32Array.of(77), turned, 0);
    rotation.undo(turned, 77);
    close(turned, key);
  });
});

describe('the compensation token', () => {
  const rotation = createRotation(rope);
  const context = {
    model: randomModel(1),
    corrector: { type: 'none' },
    unrotate: rotation.undo,
  } as const;

  /** Twelve slots of which slots 2 to 9 are dropped; rotated keys of those are equal or not. */
  function acted(areEqual: boolean): ActedHead {
    const keys = rows(21, 12);
    if (areEqual) {
      for (let slot = 2; slot < 10; slot++) {
        const key = rows(22, 1);
        rotation.undo(key, slot);
        keys.set(key, slot * headSize);
      }
    }
    const positions = Int32Array.from({ length: 12 }, (_, i) => i);
    return {
      layer: 0,
      kvHead: 0,
      headSize,
      keys,
      values: rows(23, 12),
      positions,
      multiplicity: new Float32Array(12).fill(1),
      rotatedKeys: () => Float32Array.from(applyRope(keys, positions, rope)),
      scores: new Float32Array(12),
      kept: Int32Array.of(0, 1, 10, 11),
      victims: Int32Array.of(2, 3, 4, 5, 6, 7, 8, 9),
    };
  }

  const whole = (head: ActedHead) =>
    output(
      [
        {
          form: 'plain',
          headSize,
          keys: head.keys,
          values: head.values,
          positions: head.positions,
        },
      ],
      12,
    );
  const compensated = (head: ActedHead, keepCount: boolean) => {
    const runs = ACTIONS.compensate!.apply([head], { type: 'compensate', keepCount }, context)[0]!;
    expect(runs.flatMap((run) => [...run.positions])).toEqual([2, 0, 1, 10, 11]);
    return output(runs, 12);
  };

  it('is exact where the dropped rotated keys are equal, if it counts as all of them', () => {
    const head = acted(true);
    close(compensated(head, true), whole(head));
    const error = compensated(head, false).map((value, d) => Math.abs(value - whole(head)[d]!));
    expect(Math.max(...error)).toBeGreaterThan(0.01);
  });

  it('is nearer to the whole than eviction where they are not', () => {
    const head = acted(false);
    const dense = whole(head);
    const errorOf = (got: Float32Array) => Math.hypot(...got.map((value, d) => value - dense[d]!));
    const evicted = output([plainRun(head, head.kept)], 12);
    expect(errorOf(compensated(head, true))).toBeLessThan(errorOf(evicted));
  });
});
