import { describe, expect, test } from 'vitest';
import { makeProgram } from '../../../lib/attention/program';
import { quantise } from '../../../lib/attention/quantise/quantise';
import { attentionReference } from '../../../lib/attention/reference';
import { attentionParams } from '../../../lib/spec/kinds/attention';
import { type DrawnCall, drawCall, drawScheme, drawTensors } from '../../fuzz/draw-call';
import { findMismatch, plainCodes, plainNumbers } from '../../fuzz/plain-attention';

function outcomeOf(call: DrawnCall) {
  const { shape, mask } = call;
  const { query, key, value } = drawTensors(call);
  const program = makeProgram(attentionParams.parse({ shape, variant: mask }));
  const { output, lse } = attentionReference({ shape, query, key, value, program });
  const numbers = (tensor: Float32Array) => plainNumbers(tensor, shape.keys, shape.headSize);
  return { plain: { shape, query, key: numbers(key), value: numbers(value), mask }, output, lse };
}

const small: DrawnCall = {
  seed: 3,
  shape: { batch: 2, queryHeads: 4, kvHeads: 2, queries: 5, keys: 19, headSize: 12 },
  mask: { type: 'window-sinks', windowTokens: 4, sinkTokens: 2 },
  logits: 1,
  valueScale: 1,
  splits: 0,
  gigaflopsPerSecond: 1,
};

describe('attention by its definition', () => {
  test.each([1, 2, 3, 4, 5, 6])('agrees with the reference on drawn call %i', (seed) => {
    const call = drawCall(seed, seed % 2 === 0 ? 'decode' : 'prefill', { mostHeadSize: 64 });
    const { plain, ...actual } = outcomeOf(call);
    expect(findMismatch(plain, actual)).toBeUndefined();
  });

  test('finds a number that is off, a NaN, and a wrong log-sum-exp', () => {
    const { plain, output, lse } = outcomeOf(small);
    expect(findMismatch(plain, { output, lse })).toBeUndefined();
    for (const wrong of [output[30]! + 1e-4, Number.NaN, Number.POSITIVE_INFINITY]) {
      const off = findMismatch(plain, { output: output.with(30, wrong), lse });
      expect(off).toMatchObject({ batch: 0, head: 0, query: 2 });
    }
    expect(findMismatch(plain, { output, lse: lse.with(7, lse[7]! + 1e-4) })).toMatchObject({
      head: 1,
      query: 2,
    });
  });

  test('finds one key too many or too few in a window', () => {
    const { plain, ...actual } = outcomeOf(small);
    for (const windowTokens of [3, 5]) {
      const mask = { ...small.mask, windowTokens } as DrawnCall['mask'];
      expect(findMismatch({ ...plain, mask }, actual)).toBeDefined();
    }
  });

  test('finds another KV head', () => {
    const { plain, ...actual } = outcomeOf(small);
    const swapped = {
      ...plain,
      key: {
        ...plain.key,
        at: (head: number, row: number, column: number) => plain.key.at(head ^ 1, row, column),
      },
    };
    expect(findMismatch(swapped, actual)).toBeDefined();
  });

  test('a masked row must be zeros', () => {
    const call = { ...small, shape: { ...small.shape, queries: 9, keys: 4 } };
    const { plain, output, lse } = outcomeOf(call);
    expect(findMismatch(plain, { output, lse })).toBeUndefined();
    expect(findMismatch(plain, { output: output.with(0, 1e-30), lse })?.what).toMatch(/masked row/);
    expect(findMismatch(plain, { output, lse: lse.with(0, -3e38) })?.what).toMatch(/masked row/);
  });

  test.each([1, 2, 3, 4, 5, 6, 7, 8])('codes of drawn scheme %i are within half a step', (seed) => {
    const { shape } = drawCall(seed, 'decode', { multiple: 16, mostHeadSize: 64 });
    const scheme = { ...drawScheme(seed, shape), scaleType: 'f32' } as const;
    const { key } = drawTensors({ ...small, seed, shape });
    const heads = shape.batch * shape.kvHeads;
    const packed = quantise(key, { heads, rows: shape.keys, columns: shape.headSize }, scheme);
    const codes = plainCodes(packed);
    const step = packed.scales.reduce((most, each) => Math.max(most, each), 0);
    let [farthest, smallest] = [0, Number.POSITIVE_INFINITY];
    key.forEach((value, i) => {
      const row = Math.floor(i / shape.headSize);
      const place = [Math.floor(row / shape.keys), row % shape.keys, i % shape.headSize] as const;
      farthest = Math.max(farthest, Math.abs(codes.at(...place) - value));
      smallest = Math.min(smallest, codes.size(...place) - Math.abs(codes.at(...place)));
    });
    expect(farthest).toBeLessThanOrEqual(step * 0.501);
    expect(smallest).toBeGreaterThanOrEqual(-1e-6);
  });
});
