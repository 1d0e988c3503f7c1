import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { attendPartial } from '../../../lib/attention/compose/attend-partial';
import { differentialOutput } from '../../../lib/attention/compose/differential';
import {
  classifyHeads,
  headMasks,
  keptKeysShare,
  shareOfRetrieval,
} from '../../../lib/attention/compose/head-classes';
import { emptyPartial, mergePartials } from '../../../lib/attention/compose/merge-partials';
import { gatesOf, mixGated, mixHeads } from '../../../lib/attention/compose/mix-heads';
import type { PartialAttention } from '../../../lib/attention/compose/types';
import { createRandom } from '../../../lib/random/random';
import {
  heads,
  labels,
  makeHead,
  normals,
  relativeError,
  splitKeys,
  timesValue,
  weightsOf,
} from './compose-operands';

describe('differential attention', () => {
  it('is (A1 - lambda A2) V, from whole or merged parts', () => {
    fc.assert(
      fc.property(heads, labels, fc.constantFrom(0, 0.2, 0.8), (spec, labelOf, lambda) => {
        const head = makeHead(spec);
        const random = createRandom(spec.seed + 1);
        const twin = {
          ...head,
          query: normals(random, spec.queries * spec.headSize),
          key: normals(random, spec.keys * spec.headSize),
        };
        const a2 = weightsOf(twin);
        const difference = weightsOf(head).map((row, q) =>
          row.map((w, k) => w - lambda * a2[q]![k]!),
        );
        const actual = differentialOutput(
          mergePartials(splitKeys(head, labelOf)),
          mergePartials(splitKeys(twin, labelOf)),
          lambda,
        );
        expect(relativeError(actual, timesValue(difference, head))).toBeLessThan(1e-12);
      }),
      { numRuns: 100 },
    );
  });

  it('is 0 for a row without keys, whatever a kernel left there', () => {
    const empty = emptyPartial(1, 1);
    const dirty = { ...empty, output: Float64Array.of(Number.NaN) };
    expect([...differentialOutput(dirty, dirty, 0.5)]).toEqual([0]);
    expect(() => differentialOutput(empty, empty, Number.NaN)).toThrow('invalid lambda: NaN');
  });
});

describe('head classes', () => {
  it('keeps the highest scores as retrieval heads, ties by lower index', () => {
    const classes = classifyHeads([0.1, 0.9, 0.9, 0.9, 0.2], 0.4);
    expect(classes).toEqual(['streaming', 'retrieval', 'retrieval', 'streaming', 'streaming']);
    expect(shareOfRetrieval(classes)).toBe(0.4);
    expect(shareOfRetrieval(classifyHeads([3, 1, 2], 1))).toBe(1);
    expect(shareOfRetrieval(classifyHeads([3, 1, 2], 0))).toBe(0);
    expect(() => classifyHeads([1], 1.5)).toThrow('invalid retrievalShare: 1.5');
    expect(() => classifyHeads([1, Number.NaN], 0.5)).toThrow('NaN at head 1');
  });

  it('has masks whose last row holds as many keys as the kept share says', () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 1, maxLength: 8 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.record({
          sinkTokens: fc.integer({ min: 0, max: 6 }),
          recentTokens: fc.integer({ min: 1, max: 9 }),
        }),
        fc.integer({ min: 1, max: 30 }),
        (gates, share, window, contextTokens) => {
          const classes = classifyHeads(gates, share);
          const kept = headMasks(classes, window).map((mask) => {
            let seen = 0;
            for (let k = 0; k < contextTokens; k++) if (mask(contextTokens - 1, k)) seen++;
            return seen;
          });
          const total = kept.reduce((a, b) => a + b, 0);
          expect(keptKeysShare(classes, window, contextTokens)).toBeCloseTo(
            total / (gates.length * contextTokens),
            12,
          );
        },
      ),
      { numRuns: 100 },
    );
  });

  it('sees sinks and recent keys and nothing after the query', () => {
    const [full, streaming] = headMasks(['retrieval', 'streaming'], {
      sinkTokens: 2,
      recentTokens: 3,
    });
    const seenBy = (mask: typeof full) =>
      Array.from({ length: 10 }, (_, k) => k).filter((k) => mask?.(7, k));
    expect(seenBy(full)).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
    expect(seenBy(streaming)).toEqual([0, 1, 5, 6, 7]);
  });

  it('mixes heads by gate, and a decided gate takes one branch untouched', () => {
    const part = (values: readonly number[]): PartialAttention => ({
      rows: 2,
      valueSize: 1,
      output: Float64Array.from(values),
      lse: new Float64Array(2),
    });
    const full = part([4, 8]);
    const streaming = part([0, Number.NaN]);
    expect([...mixGated(part([4, 8]), part([0, 4]), 0.25)]).toEqual([1, 5]);
    const mixed = mixHeads(
      [full, full],
      [streaming, part([1, 2])],
      gatesOf(['retrieval', 'streaming']),
    );
    expect(mixed.map((each) => [...each])).toEqual([
      [4, 8],
      [1, 2],
    ]);
    expect(() => mixGated(full, full, 2)).toThrow('invalid gate: 2 (expected 0..1)');
    expect(() => mixHeads([full], [], [1])).toThrow('invalid heads: 0 streaming, 1 gates');
  });

  it('leaves the output alone while the context fits the window, and only then', () => {
    const output = (keys: number, window: { sinkTokens: number; recentTokens: number }) => {
      const head = makeHead({ queries: 1, keys, headSize: 4, valueSize: 3, seed: 9, spread: 1 });
      const [mask] = headMasks(['streaming'], window);
      const isVisible = (_: number, k: number) => mask!(keys - 1, k);
      return relativeError(attendPartial(head, { isVisible }).output, attendPartial(head).output);
    };
    expect(output(6, { sinkTokens: 2, recentTokens: 4 })).toBe(0);
    expect(output(7, { sinkTokens: 2, recentTokens: 4 })).toBeGreaterThan(1e-3);
  });
});
