import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { takeAlternative } from '../../../lib/attention/select/choice';
import { withCommonBlocks } from '../../../lib/attention/select/common-blocks';
import {
  maskedOutputError,
  sampleFigures,
  selectionMask,
  selectionStats,
} from '../../../lib/attention/select/evaluate';
import { testHead } from '../../../lib/attention/select/flexprefill';
import { partsOf } from '../../../lib/attention/select/parts-of';
import { selectHead } from '../../../lib/attention/select/select-head';
import type { Selection } from '../../../lib/attention/select/types';
import { attentionSelection } from '../../../lib/spec/kinds/selection';
import { choices } from '../spec/arbitrary-selection-around';
import { randomHead } from './select-cases';

const sizes = {
  queries: fc.integer({ min: 1, max: 120 }),
  keys: fc.integer({ min: 1, max: 130 }),
  seed: fc.integer({ min: 1, max: 1e6 }),
  spread: fc.constantFrom(0.3, 1, 3),
};
const heads = fc.record({ ...sizes, causal: fc.boolean() }).map(randomHead);
const tokens = (low: number, high: number) => fc.integer({ min: low, max: high });
const share = fc.double({ min: 0.01, max: 1, noNaN: true });
const parse = (select: object) => attentionSelection.parse(select);

const PRESETS: Readonly<Record<string, fc.Arbitrary<object>>> = {
  'pattern-search': fc.record({
    sinkTokens: tokens(0, 20),
    windowTokens: tokens(1, 40),
    columns: tokens(1, 30),
    diagonals: tokens(1, 30),
    topBlocks: tokens(1, 4),
    windowQueries: tokens(1, 50),
    forcedColumns: tokens(0, 9),
    forcedDiagonals: tokens(0, 9),
  }),
  flexprefill: fc.record({
    blockTokens: fc.constantFrom(8, 16, 32),
    gamma: share,
    tau: fc.oneof(fc.constantFrom(0, 1), fc.double({ min: 0, max: 0.6, noNaN: true })),
    minBudgetTokens: tokens(1, 40),
  }),
};

describe('a preset as a choice', () => {
  test.each(Object.keys(PRESETS))('%s keeps the same at the same cost', (type) => {
    fc.assert(
      fc.property(heads, PRESETS[type] as fc.Arbitrary<object>, (head, options) => {
        const preset = parse({ type, ...options });
        const parts = partsOf(preset, head.causal)!;
        expect(parts.type).toBe('choice');
        expect(parse(parts)).toEqual(parts);
        const { choice, pattern, ...selected } = selectHead(head, parts)!;
        expect(choice).toBeDefined();
        expect(pattern).not.toBe('');
        const { pattern: named, ...expected } = selectHead(head, preset)!;
        expect(named).not.toBe('');
        expect(selected).toEqual(expected);
      }),
      { numRuns: 60 },
    );
  });
});

describe('flexprefill in parts', () => {
  it('has lines of parts, and the preset where no part has so many', () => {
    const second = (minBudgetTokens: number) => {
      const parts = partsOf(parse({ type: 'flexprefill', minBudgetTokens, blockTokens: 40 }), true);
      expect(attentionSelection.safeParse(parts).success).toBe(true);
      return parts?.type === 'choice' ? parts.alternatives[1] : undefined;
    };
    expect(second(64)).toMatchObject({
      type: 'composed',
      selector: { type: 'line-top-p', leastLines: 80 },
    });
    expect(second(16_384)).toMatchObject({ type: 'flexprefill', tau: 0 });
  });
});

describe('laws of a choice', () => {
  it('keeps what the alternative that it names keeps', () => {
    fc.assert(
      fc.property(heads, choices, (head, each) => {
        const choice = parse(each);
        if (choice.type !== 'choice') return expect.fail();
        const { choice: made, selectionFlops, ...selected } = selectHead(head, choice)!;
        const taken = selectHead(head, choice.alternatives[made!.taken]!)!;
        expect(selected.blocks).toEqual(taken.blocks);
        expect(selected.offsets).toEqual(taken.offsets);
        expect(selected.lines).toEqual(taken.lines);
        if (made!.by === 'figures') {
          expect(selectionFlops).toBe(taken.selectionFlops);
          expect(made!.alternatives).toHaveLength(choice.alternatives.length);
          return;
        }
        if (choice.criterion.type !== 'divergence') return expect.fail();
        const test = testHead(head, choice.criterion.blockTokens);
        expect(made!.distance).toBe(test.distance);
        expect(made!.taken).toBe(test.distance < choice.criterion.tau ? 0 : 1);
        expect(selectionFlops).toBeGreaterThanOrEqual(taken.selectionFlops);
        expect(selectionFlops).toBeLessThanOrEqual(taken.selectionFlops + test.flops);
      }),
      { numRuns: 60 },
    );
  });

  it('alternatives that are the same leave the first', () => {
    fc.assert(
      fc.property(
        heads,
        fc.constantFrom('least-error', 'recall-per-flop', 'recall-at-density'),
        fc.integer({ min: 2, max: 4 }),
        (head, type, count) => {
          const alternatives = Array(count).fill({ type: 'block-sparse', topBlocks: 2 });
          const { choice } = selectHead(
            head,
            parse({ type: 'choice', criterion: { type }, alternatives }),
          )!;
          expect(choice).toMatchObject({ by: 'figures', taken: 0 });
        },
      ),
      { numRuns: 20 },
    );
  });

  const figures = fc.record({
    density: fc.double({ min: 0, max: 1, noNaN: true }),
    massRecall: fc.double({ min: 0, max: 1, noNaN: true }),
    outputError: fc.double({ min: 0, max: 2, noNaN: true }),
    flops: fc.integer({ min: 0, max: 1e9 }),
  });
  const several = fc.array(figures, { minLength: 2, maxLength: 4 });

  it('takes what no alternative betters, by each criterion', () => {
    fc.assert(
      fc.property(several, fc.double({ min: 0.01, max: 1, noNaN: true }), (all, maxDensity) => {
        const nearest = all[takeAlternative({ type: 'least-error', rowStride: 1 }, all)]!;
        const cheapest = all[takeAlternative({ type: 'recall-per-flop', rowStride: 1 }, all)]!;
        const bounded =
          all[takeAlternative({ type: 'recall-at-density', maxDensity, rowStride: 1 }, all)]!;
        const areAllAbove = all.every(({ density }) => density > maxDensity);
        for (const { density, massRecall, outputError, flops } of all) {
          expect(nearest.outputError).toBeLessThanOrEqual(outputError);
          if (flops > 0) {
            // Without a FLOP nothing is recalled, whatever is said of it.
            const perFlop = cheapest.flops === 0 ? 0 : cheapest.massRecall / cheapest.flops;
            expect(perFlop).toBeGreaterThanOrEqual(massRecall / flops);
          }
          if (areAllAbove) expect(bounded.density).toBeLessThanOrEqual(density);
          else if (density <= maxDensity) {
            expect(bounded.density).toBeLessThanOrEqual(maxDensity);
            expect(bounded.massRecall).toBeGreaterThanOrEqual(massRecall);
          }
        }
      }),
      { numRuns: 200 },
    );
  });

  it('a bound of the density above every one leaves the most recall, and one below all the sparsest', () => {
    const head = randomHead({ queries: 128, keys: 128, seed: 5, spread: 2 });
    const at = (maxDensity: number) =>
      selectHead(
        head,
        parse({
          type: 'choice',
          criterion: { type: 'recall-at-density', maxDensity, rowStride: 1 },
          alternatives: [
            { type: 'oracle-top-k', blocks: 1 },
            { type: 'oracle-top-k', blocks: 2 },
            { type: 'oracle-top-k', blocks: 4 },
          ],
        }),
      )!.choice!.taken;
    expect([at(1), at(0.9), at(0.01)]).toEqual([2, 1, 0]);
  });

  it('divergence among more than two is refused', () => {
    const criterion = { type: 'divergence' };
    const three = { type: 'choice', criterion };
    const parsed = attentionSelection.safeParse(three);
    expect(parsed.error?.issues.map(({ path }) => path)).toEqual([['alternatives']]);
    expect(parsed.error?.issues[0]?.message).toContain('expected 2 alternatives');
    const run = () =>
      selectHead(randomHead({ queries: 8, keys: 8 }), {
        ...(parse({ type: 'choice' }) as Extract<ReturnType<typeof parse>, { type: 'choice' }>),
        criterion: { type: 'divergence', blockTokens: 8, tau: 0.1 },
      });
    expect(run).toThrow('invalid alternatives: 3 (expected 2 alternatives');
  });
});

describe('figures of a sample', () => {
  it('are those of all queries at a stride of 1', () => {
    fc.assert(
      fc.property(heads, choices, (head, each) => {
        const selection = selectHead(head, parse(each))!;
        const sampled = sampleFigures(head, selection, 1);
        const { density, massRecall } = selectionStats(head, selection);
        expect(sampled).toMatchObject({ density, massRecall });
        expect(sampled.outputError).toBe(maskedOutputError(head, selection));
        expect(sampled.blockDensity).toBeGreaterThanOrEqual(density);
        if (selection.lines === undefined) expect(sampled.blockDensity).toBe(density);
      }),
      { numRuns: 40 },
    );
  });
});

describe('blocks of heads that chose differently', () => {
  it('are of one size and keep the same keys', () => {
    fc.assert(
      fc.property(
        fc.record(sizes).map(randomHead),
        fc.array(
          fc.oneof(
            fc.record({
              type: fc.constant('composed'),
              blockTokens: fc.constantFrom(8, 16, 24),
              queryBlockTokens: fc.constantFrom(8, 32, 40),
            }),
            fc.constantFrom<object>(
              { type: 'pbs', blockTokens: 16, segmentTokens: 32 },
              { type: 'a-shape', sinkTokens: 3, windowTokens: 20 },
            ),
          ),
          { minLength: 2, maxLength: 3 },
        ),
        (head, methods) => {
          const selections = methods.map((each) => selectHead(head, parse(each))!);
          const common = withCommonBlocks(head, selections);
          const sizeOf = ({ blockQueries, blockKeys, queryBlocks, keyBlocks }: Selection) =>
            [blockQueries, blockKeys, queryBlocks, keyBlocks].join();
          expect(new Set(common.map(sizeOf)).size).toBe(1);
          common.forEach((each, i) => {
            const sees = selectionMask(head, each);
            const saw = selectionMask(head, selections[i]!);
            for (let q = 0; q < head.queries; q++) {
              for (let k = 0; k < head.keys; k++) {
                if (sees(q, k) !== saw(q, k)) expect.fail(`${i}: ${q}, ${k}`);
              }
            }
          });
        },
      ),
      { numRuns: 40 },
    );
  });
});
