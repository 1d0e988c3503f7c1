import { describe, expect, it } from 'vitest';
import { makeInputs } from '../../../lib/attention/inputs';
import { mapBaseSteps } from '../../../lib/attention/map';
import { attentionReference } from '../../../lib/attention/reference';
import { runSteps } from '../../../lib/attention/steps';
import type { MapBase } from '../../../lib/attention/types';
import { attentionWeights } from '../../../lib/attention/weights/attention-weights';
import {
  previewStride,
  weightBaseSteps,
  weightPreviewSteps,
} from '../../../lib/attention/weights/reduce';
import type { WeightMatrix } from '../../../lib/attention/weights/types';
import { driveSteps, throttled } from '../../../lib/gpu/jobs';
import { reduceMap } from '../../../lib/gpu/reduce-map';
import type { Progress } from '../../../lib/run/types';
import { attentionParams } from '../../../lib/spec/kinds/attention';
import { createRowProducts } from '../../../lib/wasm/matrix-products';

const call = (variant: object, more: object = {}) => {
  const inputs = makeInputs(
    attentionParams.parse({
      shape: {
        batch: 2,
        queryHeads: 4,
        kvHeads: 2,
        queries: 150,
        keys: 611,
        headSize: 20,
        ...more,
      },
      variant,
    }),
  );
  return { inputs, lse: attentionReference(inputs).lse };
};

/** A formula that lets every third query see nothing. */
const HOLES = { type: 'formula', mask: ['q', 3, 'mod', 0, '=='] };

function expectAlike(actual: MapBase, expected: MapBase, tolerance: number): void {
  for (const name of ['max', 'mean'] as const) {
    let most = 0;
    let otherwiseMasked = 0;
    expected[name].forEach((each, i) => {
      const other = actual[name][i]!;
      if (Number.isNaN(each) !== Number.isNaN(other)) otherwiseMasked++;
      else if (!Number.isNaN(each)) most = Math.max(most, Math.abs(other - each));
    });
    expect(otherwiseMasked).toBe(0);
    expect(most).toBeLessThan(tolerance);
  }
}

describe.each([
  ['causal', { type: 'causal' }],
  ['dense', { type: 'dense' }],
  ['sliding window', { type: 'sliding-window', windowTokens: 40 }],
  ['rows that see nothing', HOLES],
  [
    'score formula',
    { type: 'formula', mask: ['k', 'q', '<='], score: ['score', 'q', 'k', '-', '-'] },
  ],
])('an attention map by products: %s', (_, variant) => {
  it('is the map as it is defined, element by element', () => {
    const { inputs, lse } = call(variant);
    const expected = runSteps(mapBaseSteps(inputs, lse, 1, 3));
    const matrix = attentionWeights(inputs, lse)(1, 3);
    expectAlike(runSteps(weightBaseSteps(matrix, createRowProducts())), expected, 2e-6);
    expectAlike(runSteps(weightBaseSteps(matrix)), expected, 1e-9);
  });
});

it('reads a single key, and all keys alike', () => {
  const one = call({ type: 'dense' }, { keys: 1, queries: 1 });
  const only = runSteps(weightBaseSteps(attentionWeights(one.inputs, one.lse)(0, 0)));
  expect([only.max[0], only.mean[0]]).toEqual([1, 1]);
  const { inputs } = call({ type: 'dense' });
  inputs.query.fill(0);
  const { lse } = attentionReference(inputs);
  const flat = runSteps(weightBaseSteps(attentionWeights(inputs, lse)(0, 0), createRowProducts()));
  expect(Math.max(...flat.max)).toBeCloseTo(1 / 611, 8);
  expect(Math.min(...flat.max)).toBeCloseTo(1 / 611, 8);
});

/** w[q][k] = q + k / 10000, so that a cell tells which of its rows were read. */
const counting = (queries: number, keys: number): WeightMatrix => ({
  queries,
  keys,
  isSigned: false,
  fillRow(query, keyStart, keyEnd, out) {
    for (let k = keyStart; k < keyEnd; k++) out[k] = query + k / 10000;
  },
});

describe('a first picture', () => {
  it('has of every row of cells its middle query', () => {
    const preview = runSteps(weightPreviewSteps(counting(4096, 64)));
    expect([preview.rows, preview.columns]).toEqual([512, 64]);
    for (const r of [0, 1, 200, 511]) {
      expect(preview.max[r * 64 + 5]).toBeCloseTo(8 * r + 4 + 0.0005, 2);
    }
  });

  it('is made where the whole takes long, and comes before it', async () => {
    expect(previewStride(counting(512, 65536))).toBeUndefined();
    expect(previewStride(counting(4096, 64))).toBeUndefined();
    expect(previewStride(counting(4096, 4096))).toBe(8);
    expect(previewStride(counting(16384, 16384))).toBe(32);
    const seen: Progress[] = [];
    const { signal } = new AbortController();
    const base = await reduceMap(counting(2048, 4096), signal, (each) => seen.push(each));
    expect(seen[0]?.preview?.everyQuery).toBe(4);
    expect(seen.filter(({ preview }) => preview !== undefined)).toHaveLength(1);
    expect(seen[0]?.preview?.base.max[0]).toBeCloseTo(2, 2);
    expect(base.max[0]).toBeCloseTo(3, 2);
  });

  it('is sent though later reports follow at once', async () => {
    const sent: Progress[] = [];
    const { report, stop } = throttled((each) => sent.push(each));
    const base = runSteps(weightBaseSteps(counting(2, 2)));
    report({ fraction: 0, phase: 'a' });
    report({ fraction: 0.1, phase: 'b', preview: { base, everyQuery: 4 } });
    report({ fraction: 0.2, phase: 'c' });
    await new Promise((resolve) => setTimeout(resolve, 250));
    stop();
    expect(sent.map(({ phase }) => phase)).toEqual(['a', 'c']);
    expect(sent[1]?.preview?.everyQuery).toBe(4);
  });
});

it('forgets prepared rows when a reduction is stopped, so that windows stay exact', async () => {
  const { inputs, lse } = call({ type: 'dense' });
  const matrix = attentionWeights(inputs, lse)(0, 0);
  const exact = new Float64Array(611);
  matrix.fillRow(3, 0, 611, exact);
  const controller = new AbortController();
  const stopped = driveSteps(weightBaseSteps(matrix, createRowProducts()), controller.signal, () =>
    controller.abort(),
  );
  await expect(stopped).rejects.toThrow();
  const after = new Float64Array(611);
  matrix.fillRow(3, 0, 611, after);
  expect(after).toEqual(exact);
});
