import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  dotTiles,
  multiplyTiles,
  reverseGroups,
} from '../../../lib/attention/select/antidiagonal-scores';
import { selectXAttention } from '../../../lib/attention/select/xattention';
import { createRandom } from '../../../lib/random/random';
import { createRowProducts } from '../../../lib/wasm/matrix-products';

function makeHead(queries: number, keys: number, headSize: number, causal: boolean, seed: number) {
  const random = createRandom(seed);
  const rows = (count: number) =>
    Float32Array.from({ length: count * headSize }, () => 2 * random.uniform() - 1);
  return {
    ...{ query: rows(queries), key: rows(keys), value: rows(keys) },
    ...{ queries, keys, headSize, causal },
  };
}

describe('antidiagonal sums as products of matrices', () => {
  it('are the dot products, for ragged tiles and groups', () => {
    const cases = fc.record({
      queries: fc.integer({ min: 1, max: 60 }),
      more: fc.integer({ min: 0, max: 40 }),
      quarter: fc.integer({ min: 1, max: 4 }),
      stride: fc.constantFrom(1, 3, 4, 8),
      together: fc.constantFrom(1, 2, 4),
      causal: fc.boolean(),
    });
    fc.assert(
      fc.property(cases, ({ queries, more, quarter, stride, together, causal }) => {
        const head = makeHead(queries, queries + more, 4 * quarter, causal, queries);
        const reversed = reverseGroups(head, stride);
        const exact = dotTiles(head, reversed);
        const fast = multiplyTiles(head, reversed, together, createRowProducts());
        const most = Math.ceil(head.keys / stride);
        const [expected, actual] = [new Float64Array(most), new Float64Array(most)];
        for (let group = 0; group < reversed.groups; group++) {
          const last = Math.min(queries, (group + 1) * stride) - 1;
          const tiles = Math.ceil((causal ? more + last + 1 : head.keys) / stride);
          exact(group, tiles, expected);
          fast(group, tiles, actual);
          for (let tile = 0; tile < tiles; tile++) {
            expect(actual[tile]).toBeCloseTo(expected[tile]!, 4);
          }
        }
      }),
      { numRuns: 40, seed: 6 },
    );
  });

  it('select the same blocks of a large head', () => {
    const head = makeHead(512, 512, 64, true, 3);
    const options = { blockTokens: 64, stride: 4, share: 0.8 };
    const { offsets, blocks, selectionFlops } = selectXAttention(head, options, createRowProducts);
    const exact = selectXAttention(head, options);
    expect(blocks).toEqual(exact.blocks);
    expect(offsets).toEqual(exact.offsets);
    expect(selectionFlops).toBe(exact.selectionFlops);
  });
});
