import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { selectComposed } from '../../../lib/attention/select/composed';
import {
  type ComposedSelection,
  composedSelection,
  partsIssues,
} from '../../../lib/spec/kinds/selection-parts';
import { parseNotebook } from '../../../lib/spec/validate';
import { randomHead } from '../attention/select-cases';
import { anyParts } from './arbitrary-selection';

const DEFAULTS = composedSelection.parse({ type: 'composed' });
const exact = { summariser: { type: 'every-key' } };
const bounds = { summariser: { type: 'bounds', partTokens: 8 } };
const topP = { type: 'top-p', share: 0.9 };
const ofMass = { type: 'threshold', of: 'mass', share: 0.1 };
const antidiagonal = { type: 'antidiagonal', stride: 8 };
const lines = { type: 'line-top-k', columns: 4, diagonals: 4 };
const lineShare = { type: 'line-top-p', share: 0.9 };
const lineCover = { type: 'line-cover', share: 0.9 };
const window = { ...exact, scorer: { type: 'window', windowQueries: 8 } };
const tree = { type: 'tree', blocks: 4, branch: 2 };
const oneKey = { summariser: { type: 'representative', token: 'first' } };
const ofForced = { type: 'threshold', of: 'forced', share: 0.1 };
const eachQuery = { ...exact, scorer: { type: 'every-query' } };
const nothing = { sinkTokens: 0, recentTokens: 0, windowTokens: 0 };
const sliding = { type: 'sliding-mean', partTokens: 16, strideTokens: 8 };
const probabilities = { of: 'probabilities' };
const REFUSED: readonly (readonly [parts: object, field: string, why: string])[] = [
  [{ scorer: antidiagonal }, 'scorer.type', 'summariser every-key'],
  [{ ...exact, scorer: { type: 'antidiagonal', stride: 3 } }, 'scorer.stride', 'a divisor'],
  [
    { summariser: { type: 'bounds', partTokens: 24 } },
    'summariser.partTokens',
    'divide blockTokens 32',
  ],
  [{ ...bounds, reducer: { of: 'probabilities' } }, 'reducer.of', 'no probabilities'],
  [{ ...bounds, reducer: { keys: 'mean' } }, 'reducer.keys', 'only the largest bound'],
  [{ ...bounds, selector: topP }, 'selector.type', 'no mass'],
  [{ ...bounds, selector: ofMass }, 'selector.of', 'no mass'],
  [{ ...exact, reducer: { keys: 'sum' } }, 'reducer.keys', 'add up to nothing'],
  [
    { scorer: { type: 'every-query' }, reducer: { queries: 'sum' } },
    'reducer.queries',
    'add up to nothing',
  ],
  [{ selector: lines }, 'selector.type', 'summariser every-key or low-bit'],
  [{ ...exact, selector: lines }, 'selector.type', 'scorer window'],
  [{ ...window, selector: lineShare }, 'reducer.of', 'expected probabilities'],
  [{ ...window, selector: lines, reducer: { queries: 'sum' } }, 'reducer.queries', 'add up'],
  [
    { ...window, selector: lineCover, reducer: { ...probabilities, queries: 'max' } },
    'reducer.queries',
    'expected sum',
  ],
  [{ selector: tree }, 'selector.type', 'summariser representative'],
  [
    { ...oneKey, scorer: { type: 'window', windowQueries: 8 }, selector: tree },
    'selector.type',
    'scorer mean-query or every-query',
  ],
  [
    { summariser: { ...sliding, strideTokens: 24 }, reducer: probabilities },
    'summariser.strideTokens',
    'at most partTokens 16',
  ],
  [{ summariser: sliding }, 'reducer.of', 'share them out'],
  [{ summariser: sliding, selector: ofForced }, 'selector.of', 'another summariser'],
  [{ selector: ofForced }, 'selector.of', 'scorer every-query'],
  [{ ...eachQuery, selector: ofForced, forced: nothing }, 'forced.recentTokens', 'at least 1'],
  [{ ...eachQuery, selector: ofForced, reducer: probabilities }, 'reducer.of', 'not over all keys'],
  [
    { ...eachQuery, selector: ofForced, reducer: { keys: 'mean' } },
    'reducer.keys',
    'one key of one',
  ],
  [
    { ...eachQuery, selector: ofForced, reducer: { queries: 'mean' } },
    'reducer.queries',
    'one key',
  ],
  [{ ...oneKey, selector: tree, reducer: probabilities }, 'reducer.of', 'does not score every key'],
];

describe('parts that mean nothing together', () => {
  test.each(REFUSED)('%j is refused at %s: %s', (parts, field, why) => {
    const parsed = composedSelection.safeParse({ type: 'composed', ...parts });
    const issues = parsed.error?.issues ?? [];
    expect(issues.map(({ path }) => path.join('.'))).toEqual([field]);
    expect(issues[0]?.message).toContain(why);
    const { reducer = {}, ...rest } = parts as { readonly reducer?: object };
    const filled: ComposedSelection = {
      ...DEFAULTS,
      ...rest,
      reducer: { ...DEFAULTS.reducer, ...reducer },
    };
    const run = () => selectComposed(randomHead({ queries: 8, keys: 8 }), filled);
    expect(run).toThrow(`invalid ${field} (expected`);
  });

  it('one score per block and one query leave nothing to reduce: every reduction is taken', () => {
    for (const summariser of [{ type: 'mean' }, { type: 'bounds', partTokens: 32 }]) {
      for (const reduction of ['max', 'mean', 'sum']) {
        const reducer = { keys: reduction, queries: reduction };
        const parsed = composedSelection.safeParse({ type: 'composed', summariser, reducer });
        expect(parsed.success).toBe(true);
      }
    }
  });

  it('a line has one key a query: every reduction over keys is taken', () => {
    for (const keys of ['max', 'mean', 'sum']) {
      const reducer = { keys, queries: 'max' };
      expect(
        partsIssues(
          composedSelection.parse({ ...window, type: 'composed', selector: lines, reducer }),
        ),
      ).toEqual([]);
    }
  });

  it('a document is told the field with its part', () => {
    const select = { type: 'composed', ...bounds, selector: topP };
    const bad = { cells: [{ id: 'a', kind: 'attention', params: { select } }] };
    const parsed = parseNotebook(bad);
    expect(parsed.ok ? [] : parsed.issues).toEqual([
      expect.objectContaining({
        path: 'cells[0].params.select.selector.type',
        message: expect.stringContaining('invalid selector.type: "top-p" (expected selector top-k'),
      }),
    ]);
  });

  it('what the document takes runs, and what it refuses is told in words', () => {
    const head = randomHead({ queries: 40, keys: 70 });
    fc.assert(
      fc.property(anyParts, (given) => {
        const parsed = composedSelection.safeParse(given);
        if (parsed.success) {
          expect(partsIssues(parsed.data)).toEqual([]);
          expect(selectComposed(head, parsed.data).queryBlocks).toBeGreaterThan(0);
          return;
        }
        for (const { code, message } of parsed.error.issues) {
          expect(code).toBe('custom');
          expect(message).toMatch(/^expected /);
        }
      }),
      { numRuns: 200 },
    );
  });
});
