import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { composeHere, SMALL } from './compose-run';

const ENCODINGS = [
  { type: 'none' },
  { type: 'rope' },
  { type: 'xpos', scaleBase: 64 },
  { type: 'alibi' },
] as const;

describe('parts of a merge that overlap', () => {
  it('with overlaps first is the merge of tiers written out, for any masks and positions', async () => {
    const masks = fc.constantFrom(
      { type: 'sliding-window', windowTokens: 9 },
      { type: 'causal' },
      { type: 'documents', meanDocumentTokens: 11 },
      { type: 'dense' },
      {
        type: 'formula',
        mask: ['k', 'sinks', '<'],
        numbers: [{ name: 'sinks', value: 5, min: 0, max: 99 }],
      },
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(masks, { minLength: 2, maxLength: 4 }),
        fc.constantFrom(...ENCODINGS),
        fc.constantFrom(
          { type: 'absolute' },
          { type: 'slot-index', sinkTokens: 2, recentTokens: 12 },
          { type: 'clamped-far', windowTokens: 8 },
        ),
        async (variants, encoding, positions) => {
          const parts = variants.map((variant, i) => ({ name: `tier ${i}`, variant }));
          const rule = { type: 'merge', overlaps: 'first' };
          const params = { ...SMALL, parts, encoding, positions, rule };
          const { result } = await composeHere(params);
          expect(result.error?.withinTolerance).toBe(true);
          for (const law of result.laws) expect(law.holds).toBe(true);
        },
      ),
      { numRuns: 12 },
    );
  });

  it('with overlaps first, what is left after a window is the rest', async () => {
    const number = { name: 'window', value: 7, min: 0, max: 99 };
    const recent = { name: 'recent', variant: { type: 'sliding-window', windowTokens: 7 } };
    const older = { type: 'formula', mask: ['q', 'k', '-', 'window', '>='], numbers: [number] };
    const written = await composeHere({
      ...SMALL,
      parts: [recent, { name: 'older', variant: older }],
    });
    const left = await composeHere({
      ...SMALL,
      parts: [recent, { name: 'older', variant: { type: 'causal' } }],
      rule: { type: 'merge', overlaps: 'first' },
    });
    expect(left.runs.map(({ output }) => output)).toEqual(written.runs.map(({ output }) => output));
    expect(left.result.calls.map(({ meanMass }) => meanMass)).toEqual(
      written.result.calls.map(({ meanMass }) => meanMass),
    );
  });

  it('are refused where their tables together fit no kernel, with the part', async () => {
    const table = (i: number) => ({
      name: `t${i}`,
      source: 'classes',
      classes: 2 + i,
      meanTokens: 5,
    });
    const tagged = (from: number) => ({
      type: 'formula',
      mask: ['q', 'k', '>=', ...[0, 1, 2].flatMap((i) => ['k', `t${from + i}`, 0, '==', 'and'])],
      tables: [0, 1, 2].map((i) => table(from + i)),
    });
    const parts = [0, 3, 6].map((from) => ({ name: `from ${from}`, variant: tagged(from) }));
    const rule = { type: 'merge', overlaps: 'first' };
    await expect(composeHere({ ...SMALL, parts, rule })).rejects.toThrow(
      'part "from 6" and those before it read 9 tables (expected at most 8)',
    );
  });
});
