import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compareOutputs } from '../../../lib/attention/compare';
import { makeInputs } from '../../../lib/attention/inputs';
import type { AttentionInputs } from '../../../lib/attention/types';
import { toTokens } from '../../../lib/formula/tokens';
import { countNodes } from '../../../lib/formula/tree';
import { prepareWasmCall } from '../../../lib/gpu/formula-wasm';
import { createRandom } from '../../../lib/random/random';
import { attentionParams } from '../../../lib/spec/kinds/attention';
import {
  BLOCK_KEYS,
  BLOCK_QUERIES,
  createWasmAttention,
  type WriteVisible,
} from '../../../lib/wasm/attention';
import { createLane } from '../../../lib/wasm/lane';
import { countPartial, MASK_BYTES } from '../../../lib/wasm/list-masks';
import { maskTree } from '../formula/arbitrary';

const WHOLE = { maxFlops: Number.POSITIVE_INFINITY };
const parts = {
  numbers: [
    { name: 'window', value: 7, min: 0, max: 40 },
    { name: 'cap', value: 2.5, min: 0.5, max: 9, step: 0.01 },
  ],
  tables: [
    { name: 'document', source: 'segments', meanTokens: 6 },
    { name: 'bias', source: 'normal', entries: 12 },
  ],
};
const SHAPE = { batch: 2, queryHeads: 4, kvHeads: 2, queries: 41, keys: 75, headSize: 8 };

describe('masks made with the lists', () => {
  it('say of every pair in a partial block what the formula says, and results stay the same bits', () => {
    fc.assert(
      fc.property(maskTree, fc.constantFrom(41, 3), (mask, queries) => {
        fc.pre(countNodes(mask) <= 128);
        const shape = { ...SHAPE, queries };
        const variant = { type: 'formula', mask: toTokens(mask), score: [], ...parts };
        const inputs = makeInputs(attentionParams.parse({ shape, variant, seed: 5 }));
        const { call, lane } = prepareWasmCall(inputs);
        lane.runSome(Number.POSITIVE_INFINITY);
        const { memory, masks, lists } = call;
        if (masks === undefined) {
          expect(countPartial(lists).count).toBe(0);
          return;
        }
        const { rows, entries, stride, headStride, queryBlocks } = lists;
        let seenMasks = 0;
        for (let b = 0; b < (stride > 0 ? shape.batch : 1); b++) {
          for (let h = 0; h < (headStride > 0 ? shape.queryHeads : 1); h++) {
            for (let block = 0; block < queryBlocks; block++) {
              const row = b * stride + h * headStride + block;
              const partial = rows[2 * row]! + rows[2 * row + 1]!;
              for (let e = partial; e < rows[2 * row + 2]!; e++, seenMasks++) {
                const at = masks.address + MASK_BYTES * (masks.starts[row]! + e - partial);
                const words = new Uint32Array(memory.buffer, at, BLOCK_QUERIES);
                for (let i = 0; i < BLOCK_QUERIES; i++) {
                  for (let j = 0; j < BLOCK_KEYS; j++) {
                    const [q, k] = [block * BLOCK_QUERIES + i, entries[e]! * BLOCK_KEYS + j];
                    if (q >= shape.queries || k >= shape.keys) continue;
                    const isSeen = ((words[i]! >>> j) & 1) === 1;
                    expect(isSeen).toBe(inputs.program.isVisible(b, h, q, k));
                  }
                }
              }
            }
          }
        }
        expect(seenMasks).toBe(countPartial(lists).count);
        const [output, lse] = [lane.attention.output.slice(), lane.attention.lse.slice()];
        call.next[0] = 0;
        const asking = createLane({ ...call, masks: undefined }, 0);
        asking.attention.load({ ...shape, ...inputs });
        asking.runSome(Number.POSITIVE_INFINITY);
        expect(asking.attention.output.slice()).toEqual(output);
        expect(asking.attention.lse.slice()).toEqual(lse);
      }),
      { numRuns: 60, seed: 2 },
    );
  });
});

describe('partial blocks skip what no row sees', () => {
  it('never a seen pair: random masks of every density, with holes and empty rows', () => {
    const cases = fc.record({
      seed: fc.integer({ min: 0, max: 2 ** 30 }),
      density: fc.constantFrom(0.002, 0.02, 0.2, 0.8, 0.99),
      /** Pairs that go together, so that whole panels and rows fall out. */
      rowRun: fc.constantFrom(1, 3, 4, 16),
      keyRun: fc.constantFrom(1, 4, 5, 8, 32),
      queries: fc.integer({ min: 1, max: 40 }),
      keys: fc.integer({ min: 1, max: 80 }),
      quarter: fc.integer({ min: 1, max: 10 }),
    });
    fc.assert(
      fc.property(cases, ({ seed, density, rowRun, keyRun, queries, keys, quarter }) => {
        const shape = { queryHeads: 2, kvHeads: 1, queries, keys, headSize: 4 * quarter };
        const made = makeInputs(attentionParams.parse({ shape, variant: { type: 'dense' }, seed }));
        const random = createRandom(seed);
        const seen = Array.from({ length: 41 * 81 }, () => random.uniform() < density);
        const isVisible = (_b: number, _h: number, query: number, key: number) =>
          seen[Math.floor(query / rowRun) * 81 + Math.floor(key / keyRun)] === true;
        const inputs: AttentionInputs = { ...made, program: { ...made.program, isVisible } };
        const memory = new WebAssembly.Memory({ initial: 1, maximum: 65_536 });
        const visible: WriteVisible = (pointer, batch, head, firstRow, firstKey, rows) => {
          const words = new Uint32Array(memory.buffer, pointer, rows).fill(0);
          for (let i = 0; i < rows; i++) {
            for (let j = 0; j < BLOCK_KEYS; j++) {
              const isSeen = isVisible(batch, head, firstRow + i, firstKey + j);
              words[i] = words[i]! | (Number(isSeen) << j);
            }
          }
        };
        const attention = createWasmAttention({ memory, visible });
        attention.load({ ...inputs.shape, ...inputs });
        const blocks = Uint32Array.from({ length: Math.ceil(keys / BLOCK_KEYS) }, (_, i) => i);
        for (let head = 0; head < 2; head++) {
          for (let block = 0; block * BLOCK_QUERIES < queries; block++) {
            attention.runBlock(0, head, block, blocks, 0);
          }
        }
        expect(compareOutputs(inputs, attention, WHOLE).withinTolerance).toBe(true);
      }),
      { numRuns: 200, seed: 9 },
    );
  });

  it('of a key that no row sees nothing is read: a NaN there stays there', () => {
    const shape = { queryHeads: 1, kvHeads: 1, queries: 33, keys: 33, headSize: 8 };
    const made = makeInputs(attentionParams.parse({ shape, variant: { type: 'causal' }, seed: 1 }));
    // Row 15 ends its query block: keys from 16 on are seen by no row of it.
    const value = made.value.slice().fill(Number.NaN, 16 * 8);
    const { lane } = prepareWasmCall({ ...made, value });
    lane.runSome(Number.POSITIVE_INFINITY);
    const { output } = lane.attention;
    expect(output.subarray(0, 16 * 8).every(Number.isFinite)).toBe(true);
    expect(output.subarray(16 * 8, 17 * 8).every(Number.isNaN)).toBe(true);
  });
});
