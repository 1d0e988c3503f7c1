import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { selectHead } from '../../../lib/attention/select/select-head';
import { takenApart } from '../../../lib/attention/select/taken-apart';
import { type AttentionSelection, attentionSelection } from '../../../lib/spec/kinds/selection';
import { createRowProducts } from '../../../lib/wasm/matrix-products';
import { anyHeads } from './arbitrary-heads';
import { randomHead } from './select-cases';

describe('a preset taken apart', () => {
  const tokens = fc.constantFrom(8, 16, 24, 32);
  const window = {
    windowQueries: fc.integer({ min: 1, max: 99 }),
    forcedColumns: fc.integer({ min: 0, max: 40 }),
    forcedDiagonals: fc.integer({ min: 0, max: 40 }),
  };
  const presets: Readonly<Record<string, fc.Arbitrary<object>>> = {
    'a-shape': fc.record({
      sinkTokens: fc.integer({ min: 0, max: 60 }),
      windowTokens: fc.integer({ min: 1, max: 60 }),
    }),
    'vertical-slash': fc.record({
      columns: fc.integer({ min: 1, max: 40 }),
      diagonals: fc.integer({ min: 1, max: 40 }),
      ...window,
    }),
    'line-cover': fc.record({
      share: fc.double({ min: 0.01, max: 1, noNaN: true }),
      kinds: fc.constantFrom('both', 'columns'),
      ...window,
    }),
    moba: fc.record({ blockTokens: tokens, topBlocks: fc.integer({ min: 1, max: 9 }) }),
    'block-sparse': fc.record({ blockTokens: tokens, topBlocks: fc.integer({ min: 1, max: 9 }) }),
    sale: fc.record({
      bits: fc.integer({ min: 2, max: 8 }),
      threshold: fc.constantFrom(1e-4, 0.004, 0.1, 0.5, 1),
      sinkTokens: fc.integer({ min: 0, max: 40 }),
      windowTokens: fc.integer({ min: 1, max: 40 }),
    }),
    hip: fc.record({
      keptTokens: fc.integer({ min: 2, max: 120 }),
      windowTokens: fc.integer({ min: 1, max: 40 }),
      sinkTokens: fc.integer({ min: 0, max: 40 }),
      representative: fc.constantFrom('first', 'centre'),
      queryReduce: fc.constantFrom('mean', 'max'),
    }),
    quest: fc.record({
      pageTokens: tokens,
      budgetTokens: fc.integer({ min: 1, max: 99 }),
      sinkTokens: fc.integer({ min: 0, max: 40 }),
      recentTokens: fc.integer({ min: 0, max: 40 }),
    }),
    lserve: fc.record({
      pageTokens: fc.constantFrom(16, 32),
      subPageTokens: fc.constantFrom(8, 16),
      budgetTokens: fc.integer({ min: 1, max: 99 }),
      recentTokens: fc.integer({ min: 0, max: 40 }),
    }),
    xattention: fc.record({
      blockTokens: tokens,
      stride: fc.constantFrom(1, 2, 4, 8),
      share: fc.double({ min: 0.01, max: 1, noNaN: true }),
    }),
    nsa: fc.record({
      compressTokens: fc.constantFrom(16, 24, 40),
      compressStride: fc.constantFrom(8, 16),
      blockTokens: tokens,
      topBlocks: fc.integer({ min: 1, max: 9 }),
      initialTokens: fc.integer({ min: 0, max: 40 }),
      localTokens: fc.integer({ min: 0, max: 40 }),
      windowTokens: fc.integer({ min: 1, max: 70 }),
    }),
    'oracle-top-k': fc.record({ blocks: fc.integer({ min: 1, max: 5 }) }),
    'oracle-top-p': fc.record({ share: fc.double({ min: 0.01, max: 1, noNaN: true }) }),
  };

  test.each(Object.keys(presets))('%s selects the same keys at the same cost', (type) => {
    fc.assert(
      fc.property(anyHeads, presets[type] as fc.Arbitrary<object>, (head, options) => {
        const preset = attentionSelection.parse({ type, ...options });
        const parts = takenApart(preset, head.causal) as AttentionSelection;
        expect(attentionSelection.parse(parts)).toEqual(parts);
        const expected = selectHead(head, preset);
        const selected = selectHead(head, parts);
        expect(selected?.offsets).toEqual(expected?.offsets);
        expect(selected?.blocks).toEqual(expected?.blocks);
        expect(selected?.lines).toEqual(expected?.lines);
        expect(selected?.selectionFlops).toBe(expected?.selectionFlops);
      }),
      { numRuns: 60 },
    );
  });

  it('takes the antidiagonals of a large head as the preset does, by products of matrices', () => {
    const head = randomHead({ queries: 512, keys: 512, headSize: 64, seed: 4 });
    const preset = attentionSelection.parse({ type: 'xattention', stride: 4, share: 0.8 });
    const parts = takenApart(preset, true) as AttentionSelection;
    let made = 0;
    const create = () => {
      made++;
      return createRowProducts();
    };
    expect(selectHead(head, parts, create)?.blocks).toEqual(
      selectHead(head, preset, createRowProducts)?.blocks,
    );
    expect(made).toBe(1);
  });

  it('FlexPrefill without a query-aware head is the fewest lines by share, its test apart', () => {
    const blocks = fc.constantFrom(8, 16, 32);
    const share = fc.double({ min: 0.01, max: 1, noNaN: true });
    fc.assert(
      fc.property(
        anyHeads,
        blocks,
        share,
        fc.integer({ min: 1, max: 99 }),
        (head, side, ...rest) => {
          const [gamma, minBudgetTokens] = rest;
          const flex = attentionSelection.parse({
            type: 'flexprefill',
            blockTokens: side,
            gamma,
            tau: 0,
            minBudgetTokens,
          });
          const parts = attentionSelection.parse({
            type: 'composed',
            blockTokens: side,
            queryBlockTokens: side,
            summariser: { type: 'every-key' },
            scorer: { type: 'window', windowQueries: side },
            reducer: { of: 'probabilities', keys: 'sum', queries: 'sum' },
            selector: {
              type: 'line-top-p',
              share: gamma,
              leastLines: side * Math.ceil(minBudgetTokens / side),
            },
            forced: { sinkTokens: side, recentTokens: 1 },
          });
          const expected = selectHead(head, flex)!;
          const selected = selectHead(head, parts)!;
          expect(selected.lines).toEqual(expected.lines);
          expect(selected.blocks).toEqual(expected.blocks);
          const test = 2 * head.headSize * Math.ceil(head.keys / side);
          expect(selected.selectionFlops + test).toBe(expected.selectionFlops);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('is undefined where the parts cannot say it', () => {
    const types = attentionSelection.options.map(({ shape }) => shape.type.value);
    const said = types.filter(
      (type) => takenApart(attentionSelection.parse({ type }), true) !== undefined,
    );
    expect(said.toSorted()).toEqual([...Object.keys(presets), 'composed'].toSorted());
  });
});
