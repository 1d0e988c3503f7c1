import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { selectComposed } from '../../../lib/attention/select/composed';
import type { HeadTensors } from '../../../lib/attention/select/types';
import { composedSelection } from '../../../lib/spec/kinds/selection-parts';
import { anyHeads } from './arbitrary-heads';
import { denseProbabilities, plantedLines } from './select-cases';

const WINDOW = 12;
const compose = (selector: object, reducer: object = {}, summariser = 'every-key') =>
  composedSelection.parse({
    type: 'composed',
    summariser: { type: summariser },
    scorer: { type: 'window', windowQueries: WINDOW },
    reducer: { of: 'probabilities', queries: 'sum', ...reducer },
    selector,
    forced: { sinkTokens: 0, recentTokens: 0 },
  });
const linesOf = (head: HeadTensors, ...parts: Parameters<typeof compose>) =>
  selectComposed(head, compose(...parts)).lines!;
const count = (flags: Uint8Array) => flags.reduce((a, b) => a + b, 0);
const indexes = (flags: Uint8Array) => [...flags.keys()].filter((i) => flags[i] === 1);

/** Probabilities of the last queries on every column and diagonal, by the definition. */
function windowLines(head: HeadTensors) {
  const columns = Array.from({ length: head.keys }, (): number[] => []);
  const diagonals = Array.from({ length: head.keys }, (): number[] => []);
  const rows = denseProbabilities(head).slice(-WINDOW);
  rows.forEach((row, r) => {
    const position = head.keys - rows.length + r;
    row.forEach((p, k) => {
      if (head.causal && k > position) return;
      columns[k]!.push(p);
      if (k <= position) diagonals[position - k]!.push(p);
    });
  });
  return { columns, diagonals };
}

describe('composed selections of lines', () => {
  it('keeps the lines with the most, by sum, mean or maximum over the window', () => {
    const of = {
      sum: (values: readonly number[]) => values.reduce((a, b) => a + b, 0),
      // Of what a query does not see the probability is 0.
      mean: (values: readonly number[]) => values.reduce((a, b) => a + b, 0),
      max: (values: readonly number[]) => Math.max(0, ...values),
    };
    const queries = fc.constantFrom('sum', 'mean', 'max');
    fc.assert(
      fc.property(anyHeads, queries, fc.integer({ min: 0, max: 30 }), (head, how, most) => {
        const kept = linesOf(
          head,
          { type: 'line-top-k', columns: most, diagonals: most },
          { queries: how },
        );
        const truth = windowLines(head);
        for (const kind of ['columns', 'diagonals'] as const) {
          const weights = truth[kind].map(of[how as 'sum']);
          const best = weights.toSorted((a, b) => b - a).slice(0, most);
          const chosen = indexes(kept[kind]).map((i) => weights[i]!);
          expect(chosen).toHaveLength(Math.min(most, head.keys));
          chosen
            .toSorted((a, b) => b - a)
            .forEach((weight, i) => {
              expect(weight).toBeCloseTo(best[i]!, 5);
            });
        }
      }),
      { numRuns: 60 },
    );
  });

  it('by share keeps the fewest of each kind that hold it, and no fewer than asked', () => {
    fc.assert(
      fc.property(anyHeads, fc.constantFrom(0.3, 0.7, 0.95), (head, share) => {
        const kept = linesOf(head, { type: 'line-top-p', share });
        const truth = windowLines(head);
        for (const kind of ['columns', 'diagonals'] as const) {
          const sums = truth[kind].map((values) => values.reduce((a, b) => a + b, 0));
          const total = sums.reduce((a, b) => a + b, 0);
          const held = indexes(kept[kind]).map((i) => sums[i]!);
          const sum = held.reduce((a, b) => a + b, 0);
          expect(sum).toBeGreaterThanOrEqual(share * total - 1e-5);
          if (held.length > 0)
            expect(sum - Math.min(...held)).toBeLessThanOrEqual(share * total + 1e-5);
        }
        const least = linesOf(head, { type: 'line-top-p', share, leastLines: 9 });
        expect(count(least.columns)).toBe(Math.max(count(kept.columns), Math.min(head.keys, 9)));
      }),
      { numRuns: 60 },
    );
  });

  it('finds planted lines from low-bit codes too, and by the largest score', () => {
    const head = plantedLines(() => true);
    const one = { type: 'line-top-k', columns: 1, diagonals: 1 };
    const each: readonly Parameters<typeof compose>[] = [
      [one, {}, 'every-key'],
      [one, {}, 'low-bit'],
      [{ type: 'line-cover', share: 0.9 }, {}, 'low-bit'],
      [one, { of: 'scores', queries: 'mean' }, 'every-key'],
    ];
    for (const parts of each) {
      const kept = linesOf(head, ...parts);
      expect([indexes(kept.columns), indexes(kept.diagonals)]).toEqual([[21], [37]]);
    }
  });
});
