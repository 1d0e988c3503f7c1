import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { runSteps } from '../../../lib/attention/steps';
import { type WeightCall, weightShape, weightSteps } from '../../../lib/attention/weights/call';
import { weightBaseSteps } from '../../../lib/attention/weights/reduce';
import { createRandom } from '../../../lib/random/random';
import { composeParams } from '../../../lib/spec/kinds/compose';
import { decodeParams } from '../../../lib/spec/kinds/decode';
import { recurrentParams } from '../../../lib/spec/kinds/recurrent';
import { createRowProducts } from '../../../lib/wasm/matrix-products';

const recurrent = (rule: object, more: object = {}): WeightCall => ({
  kind: 'recurrent',
  params: recurrentParams.parse({
    shape: { batch: 2, heads: 2, tokens: 203, keySize: 12, valueSize: 4 },
    rule,
    ...more,
  }),
});
const shape = { batch: 2, queryHeads: 2, kvHeads: 1, queries: 150, keys: 203, headSize: 20 };
const composed = (more: object): WeightCall => ({
  kind: 'compose',
  params: composeParams.parse({ shape, ...more }),
  gates: [0.25],
});

const CALLS: readonly (readonly [string, WeightCall])[] = [
  ...['additive', 'retnet', 'gated', 'ssd', 'delta', 'gated-delta', 'lmu'].map(
    (type) => [type, recurrent({ type })] as const,
  ),
  ['additive, not normalised', recurrent({ type: 'additive', normalise: false })],
  ['gated, normalised', recurrent({ type: 'gated', normalise: true }, { featureMap: 'softmax' })],
  ['prefix', recurrent({ type: 'prefix-linear', prefixTokens: 37 })],
  ['mixture', recurrent({ type: 'mom', memories: 3, hasShared: true })],
  ['merge', composed({ encoding: { type: 'rope' } })],
  [
    'gate',
    composed({
      parts: [{ name: 'a' }, { name: 'b', variant: { type: 'sliding-window', windowTokens: 30 } }],
      rule: { type: 'gate' },
    }),
  ],
  ['alibi, sink', composed({ encoding: { type: 'alibi' }, sink: { type: 'off-by-one' } })],
  ['decode', { kind: 'decode', params: decodeParams.parse({ shape: { keys: 203 } }), storage: 2 }],
];

describe.each(CALLS)('%s', (_, call) => {
  it('reduces to the same map by products as row by row', () => {
    const matrices = runSteps(weightSteps(call));
    const { batches, heads } = weightShape(call);
    const matrix = matrices(batches - 1, heads - 1);
    const fast = runSteps(weightBaseSteps(matrix, createRowProducts()));
    const slow = runSteps(weightBaseSteps(runSteps(weightSteps(call))(batches - 1, heads - 1)));
    const largest = slow.max.reduce((most, each) => Math.max(most, Math.abs(each) || 0), 0);
    expect(largest).toBeGreaterThan(1e-3);
    for (const name of ['max', 'mean'] as const) {
      slow[name].forEach((each, i) => {
        const other = fast[name][i]!;
        expect(Number.isNaN(other)).toBe(Number.isNaN(each));
        if (Number.isNaN(each)) return;
        // Of two weights of opposite sign and equal magnitude either may be the largest.
        const difference = name === 'max' ? Math.abs(other) - Math.abs(each) : other - each;
        expect(Math.abs(difference)).toBeLessThan(2e-5 * largest + 1e-6);
      });
    }
  });

  it('gives exact rows again once none are prepared', () => {
    const { batches, heads, queries, keys } = weightShape(call);
    const matrix = runSteps(weightSteps(call))(batches - 1, heads - 1);
    const rowOf = (query: number) => {
      const row = new Float64Array(keys);
      matrix.fillRow(query, 3, keys, row);
      return row.slice(3);
    };
    const last = queries - 1;
    const exact = rowOf(last);
    matrix.prepareRows?.(Math.max(0, last - 7), queries, createRowProducts());
    const prepared = rowOf(last);
    expect(prepared.findIndex((each, i) => Math.abs(each - exact[i]!) > 1e-4)).toBe(-1);
    matrix.prepareRows?.(0, 0, createRowProducts());
    expect(rowOf(last).findIndex((each, i) => Math.abs(each - exact[i]!) > 1e-12)).toBe(-1);
  });
});

test('every matrix but that of a decode step can be prepared', () => {
  for (const [name, call] of CALLS) {
    const hasProducts = runSteps(weightSteps(call))(0, 0).prepareRows !== undefined;
    expect(hasProducts).toBe(name !== 'decode');
  }
});

test('products of rows of any size are sums of products, in part and in whole', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 21 }),
      fc.integer({ min: 1, max: 40 }),
      fc.integer({ min: 1, max: 30 }),
      fc.integer({ min: 0, max: 999 }),
      (count, kept, size, seed) => {
        const random = createRandom(seed);
        const normals = (length: number) => Float32Array.from({ length }, () => random.normal());
        const [x, y] = [normals(count * size), normals(kept * size)];
        const products = createRowProducts();
        const rows = products.keep(y, kept, size);
        // Others that are kept later leave it alone, though the memory grows.
        products.keep(normals(3 * size), 3, size);
        const panels = rows.stride / 8;
        const first = seed % panels;
        for (const [from, width] of [
          [0, panels],
          [first, panels - first],
        ] as const) {
          const out = products.multiply(x, count, rows, from, from + width).slice();
          for (let r = 0; r < count; r++) {
            for (let k = 0; k < 8 * width; k++) {
              let dot = 0;
              const key = 8 * from + k;
              for (let c = 0; key < kept && c < size; c++)
                dot += x[r * size + c]! * y[key * size + c]!;
              expect(Math.abs(out[r * 8 * width + k]! - dot)).toBeLessThan(1e-4);
            }
          }
        }
      },
    ),
    { numRuns: 20 },
  );
});
