import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { makeInputs } from '../../../lib/attention/inputs';
import type { AttentionInputs } from '../../../lib/attention/types';
import { toTokens } from '../../../lib/formula/tokens';
import { countNodes } from '../../../lib/formula/tree';
import { packBlockList } from '../../../lib/gpu/packed-list';
import { selectKeys } from '../../../lib/gpu/select-keys';
import { splitMask, trimEntries } from '../../../lib/gpu/trimmed-list';
import { attentionParams } from '../../../lib/spec/kinds/attention';
import { maskTree } from '../formula/arbitrary';

const ROWS = 16;
const KEYS = 32;
const SHAPE = { batch: 2, queryHeads: 2, kvHeads: 1, queries: 41, keys: 75, headSize: 8 };
const TABLES = [
  { name: 'document', source: 'segments', meanTokens: 6 },
  { name: 'bias', source: 'normal', entries: 12 },
];

/** Every bit of every entry against the mask, element by element; what was seen on the way. */
function checkEntries(inputs: AttentionInputs) {
  const { shape, program } = inputs;
  const list = packBlockList(inputs, ROWS, KEYS, shape.queryHeads);
  const trimmed = trimEntries(inputs, list, ROWS, KEYS);
  const counts = { skipped: 0, unmasked: 0, plain: 0 };
  const perBatch = list.stride > 0 ? shape.batch : 1;
  const perHead = list.headStride > 0 ? shape.queryHeads : 1;
  for (let b = 0; b < perBatch; b++) {
    for (let h = 0; h < perHead; h++) {
      for (let i = 0; i < list.queryBlocks; i++) {
        const row = 2 * (b * list.stride + h * list.headStride + i);
        const partial = list.rows[row]! + list.rows[row + 1]!;
        for (let e = list.rows[row]!; e < list.rows[row + 2]!; e++) {
          const entry = trimmed[e]!;
          expect(entry & 0x7fff).toBe(list.entries[e]);
          if (e < partial) expect(entry >>> 15).toBe(0xff << 1);
          counts.plain += (entry >>> 15) & 1;
          for (let k = list.entries[e]! * KEYS, end = k + KEYS; k < end; k++) {
            const group = Math.floor((k % KEYS) / 4);
            const isVisited = ((entry >>> (16 + group)) & 1) === 1;
            const isMasked = ((entry >>> (24 + group)) & 1) === 1;
            if (k >= shape.keys) {
              expect(isVisited && !isMasked).toBe(false);
              continue;
            }
            if (!isVisited) counts.skipped++;
            else if (!isMasked) counts.unmasked++;
            for (let q = i * ROWS; q < Math.min(shape.queries, (i + 1) * ROWS); q++) {
              const isSeen = program.isVisible(b, h, q, k);
              if (!isVisited) expect(isSeen).toBe(false);
              else if (!isMasked) expect(isSeen).toBe(true);
            }
          }
        }
      }
    }
  }
  return counts;
}

const inputsOf = (variant: object, shape: object = {}) =>
  makeInputs(attentionParams.parse({ shape: { ...SHAPE, ...shape }, variant, seed: 5 }));

describe('entries that know their groups of keys', () => {
  it('skip no seen pair and test every hidden one, for random masks', () => {
    fc.assert(
      fc.property(maskTree, (mask) => {
        fc.pre(countNodes(mask) <= 128);
        const numbers = [
          { name: 'window', value: 7, min: 0, max: 40 },
          { name: 'cap', value: 2.5, min: 0.5, max: 9, step: 0.01 },
        ];
        const variant = { type: 'formula', mask: toTokens(mask), score: [], numbers };
        checkEntries(inputsOf({ ...variant, tables: TABLES }));
      }),
      { numRuns: 24, seed: 4 },
    );
  });

  it('skip the corners of a window and leave its middle untested', () => {
    const { skipped, unmasked } = checkEntries(
      inputsOf({ type: 'sliding-window', windowTokens: 40 }),
    );
    expect(skipped).toBeGreaterThan(0);
    expect(unmasked).toBeGreaterThan(0);
  });

  it('leave selected blocks to the causal mask alone', async () => {
    const params = attentionParams.parse({
      shape: { ...SHAPE, queries: 75 },
      variant: { type: 'causal' },
      select: { type: 'block-sparse', topBlocks: 1, blockTokens: 32 },
      seed: 5,
    });
    const { signal } = new AbortController();
    const { inputs } = await selectKeys(params, makeInputs(params), signal, () => undefined);
    expect(checkEntries(inputs).plain).toBeGreaterThan(0);
    const { plain, tabled } = splitMask(inputs.program.mask);
    expect(plain).toEqual(makeInputs(params).program.mask);
    expect(tabled).toBeDefined();
  });

  it('refuse blocks that an entry has no bits for', () => {
    const inputs = inputsOf({ type: 'causal' });
    const list = packBlockList(inputs, ROWS, 64, 2);
    expect(() => trimEntries(inputs, list, ROWS, 64)).toThrow('invalid blockKeys: 64');
  });
});
