import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hybridBytes, hybridCurve, hybridLayers } from '../../../lib/attention/recurrent/hybrid';
import { hybridRecall } from '../../../lib/attention/recurrent/hybrid-recall';
import { kvBytes, stateBytes } from '../../../lib/attention/recurrent/state-bytes';
import { recurrentParams } from '../../../lib/spec/kinds/recurrent';

const sizes = { batch: 2, heads: 4, keySize: 64, valueSize: 32 };
const gatedDelta = { type: 'gated-delta' } as const;

describe('layers', () => {
  it('repeat one window layer and then recurrent ones', () => {
    const layers = hybridLayers({ layers: 6, softmaxEvery: 4, windowTokens: 8 });
    expect(layers.map((each) => each[0]).join('')).toBe('wrrrwr');
  });

  it('every 0 is pure, every 1 is windows only', () => {
    const kinds = (softmaxEvery: number) =>
      new Set(hybridLayers({ layers: 5, softmaxEvery, windowTokens: 8 }));
    expect(kinds(0)).toEqual(new Set(['recurrent']));
    expect(kinds(1)).toEqual(new Set(['window']));
  });
});

describe('bytes', () => {
  it('windows grow until they are full, states never do', () => {
    const hybrid = { layers: 36, softmaxEvery: 4, windowTokens: 8192 };
    const short = hybridBytes(hybrid, gatedDelta, sizes, 100);
    const long = hybridBytes(hybrid, gatedDelta, sizes, 1_000_000);
    expect(short.windows).toBe(9 * kvBytes(sizes, 100));
    expect(long.windows).toBe(9 * kvBytes(sizes, 8192));
    expect(long.states).toBe(27 * stateBytes(gatedDelta, sizes));
    expect(long.states).toBe(short.states);
    expect(long.fullAttention).toBe(36 * kvBytes(sizes, 1_000_000));
  });

  it('a stack without windows is the pure one, and one of windows ends at its last token', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 40 }),
        fc.integer({ min: 1, max: 9000 }),
        fc.integer({ min: 1, max: 100_000 }),
        (layers, windowTokens, tokens) => {
          const pure = hybridBytes(
            { layers, softmaxEvery: 0, windowTokens },
            gatedDelta,
            sizes,
            tokens,
          );
          expect(pure.hybrid).toBe(pure.recurrentOnly);
          expect(pure.hybrid).toBe(layers * stateBytes(gatedDelta, sizes));
          const windows = hybridBytes(
            { layers, softmaxEvery: 1, windowTokens },
            gatedDelta,
            sizes,
            tokens,
          );
          expect(windows.hybrid).toBe(layers * kvBytes(sizes, Math.min(tokens, windowTokens)));
          expect(windows.hybrid).toBeLessThanOrEqual(windows.fullAttention);
        },
      ),
    );
  });

  it('a feature map makes states larger, and windows not', () => {
    const hybrid = { layers: 2, softmaxEvery: 2, windowTokens: 16 };
    const [mapped] = hybridCurve(hybrid, gatedDelta, { ...sizes, keySize: 73 }, {}, 8);
    expect(mapped!.windowLayer).toBe(kvBytes({ ...sizes, keySize: 8 }, 16));
    expect(mapped!.recurrentLayer).toBe(stateBytes(gatedDelta, { ...sizes, keySize: 73 }));
  });
});

describe('recall of a block', () => {
  const hybrid = { layers: 8, softmaxEvery: 4, windowTokens: 32 };

  it('compares memories of the same bytes', () => {
    const recall = hybridRecall(hybrid, gatedDelta, 16, 1)!;
    expect(recall).toMatchObject({ keySize: 16, windowPairs: 32, recurrentLayers: 3 });
    const pairBytes = 2 * recall.keySize * 4;
    expect(recall.windowOnlyPairs * pairBytes).toBe(recall.bytes);
    expect(recall.recurrentOnlyKeySize * recall.keySize * 4).toBe(recall.bytes);
    expect(recall.windowPairs * pairBytes + recall.recurrentLayers * recall.keySize ** 2 * 4).toBe(
      recall.bytes,
    );
  });

  it('is exact inside the window, and beyond it recalls more than the window alone', () => {
    for (const rule of [gatedDelta, { type: 'additive', normalise: false }] as const) {
      const recall = hybridRecall(hybrid, rule, 16, 2)!;
      for (const [i, pairs] of recall.pairs.entries()) {
        if (pairs <= recall.windowPairs) {
          expect(recall.hybrid.errors[i]).toBe(0);
          expect(recall.hybrid.recalled[i]).toBe(1);
        }
        // What a window lost is read as zero: the share of lost pairs under the root.
        const lost = Math.max(0, pairs - recall.windowOnlyPairs) / pairs;
        expect(recall.windowOnly.errors[i]).toBeCloseTo(Math.sqrt(lost), 5);
        expect(recall.windowOnly.recalled[i]).toBeCloseTo(1 - lost, 12);
      }
      const at = recall.pairs.indexOf(64);
      expect(recall.hybrid.recalled[at]!).toBeGreaterThan(32 / 64);
    }
  });

  it('needs a window layer, and works without a recurrent one', () => {
    expect(hybridRecall({ ...hybrid, softmaxEvery: 0 }, gatedDelta, 16, 1)).toBeUndefined();
    const windows = hybridRecall({ ...hybrid, softmaxEvery: 1 }, gatedDelta, 16, 1)!;
    expect(windows.hybrid).toEqual(windows.windowOnly);
    expect(windows.windowOnlyPairs).toBe(32);
  });
});

it('an old document without a stack is a pure one', () => {
  expect(recurrentParams.parse({}).hybrid).toEqual({
    layers: 4,
    softmaxEvery: 0,
    windowTokens: 1024,
    crossLayers: 0,
  });
});
