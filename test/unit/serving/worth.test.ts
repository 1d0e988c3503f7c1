import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mixedLoad } from '../../../lib/serving/checks/limited-load';
import { limitMetrics } from '../../../lib/serving/limit-metrics';
import { externalOrder } from '../../../lib/serving/parts/external-order';
import { lengthWindow } from '../../../lib/serving/parts/length-window';
import { goodputDensity, normalQuantile, predictedLeft } from '../../../lib/serving/parts/worth';
import { priorityPart } from '../../../lib/spec/kinds/serve-priority';

const density = (more: object = {}) =>
  priorityPart.parse({ type: 'density', ...more }) as Parameters<typeof goodputDensity>[0];

describe('requests with time limits', () => {
  const limits = {
    kinds: Uint8Array.of(1, 2, 2),
    groupIds: Int32Array.of(0, 1, 1),
    firstTokenSeconds: Float64Array.of(Infinity, Infinity, Infinity),
    lastTokenSeconds: Float64Array.of(10, 10, 10),
  };

  it('a group counts only as a whole', () => {
    const load = {
      limits,
      promptTokens: Int32Array.of(1, 2, 4),
      outputTokens: Int32Array.of(8, 16, 32),
    };
    const share = (ends: readonly number[]) =>
      limitMetrics(load, {
        arrivalSeconds: Float64Array.of(0, 1, 2),
        firstTokenSeconds: Float64Array.from(ends),
        completedSeconds: Float64Array.from(ends),
      });
    expect(share([10, 11, 12])).toMatchObject({ metShare: 1, goodTokensPerSecond: 63 / 2 });
    expect(share([10, 11, 12.1])).toMatchObject({
      metShare: 1 / 3,
      metShareByKind: { deadline: 1, collective: 0 },
      goodTokensPerSecond: 9 / 2,
    });
    expect(share([Number.NaN, 1, 2])?.metShareByKind).toEqual({ deadline: 0, collective: 1 });
  });

  it('a load has a third of each kind', () => {
    const load = mixedLoad(1, 50, 200);
    const count = load.promptTokens.length;
    expect(count / 200).toBeGreaterThan(45);
    expect(count / 200).toBeLessThan(55);
    for (const kind of [0, 1, 2]) {
      const share = (load.limits?.kinds.filter((each) => each === kind).length ?? 0) / count;
      expect(share).toBeGreaterThan(0.28);
      expect(share).toBeLessThan(0.39);
    }
  });

  it('what is nearly done and in time is worth most per second, and a group shares its sum', () => {
    const requests = {
      arrivalSeconds: new Float64Array(3),
      prefillTokens: Int32Array.of(100, 100, 100),
      totalTokens: Int32Array.of(1100, 1100, 1100),
      clientIds: new Int32Array(3),
    };
    const at = (now: number, emitted: readonly number[], over: readonly boolean[] = []) =>
      goodputDensity(density({ decodeSeconds: 0.01, outputWeight: 1 }), requests, {
        nowSeconds: () => now,
        emittedTokens: (id) => emitted[id] as number,
        firstTokenSeconds: () => 0.1,
        isOver: (id) => over[id] === true,
        prefillSeconds: () => 0,
        limits: { ...limits, lastTokenSeconds: Float64Array.of(100, 100, 100) },
      });
    expect(at(1, [900, 0, 0])(0)).toBeCloseTo(1100 / 1, 9);
    expect(at(1, [0, 0, 0])(0)).toBeCloseTo(1100 / 10, 9);
    // Two of 1,100 each, over the longer rest of 10 s; alone once the other one is over.
    expect(at(1, [0, 900, 0])(1)).toBeCloseTo(220, 9);
    expect(at(1, [0, 900, 0])(2)).toBeCloseTo(220, 9);
    expect(at(1, [0, 900, 0], [false, false, true])(1)).toBeCloseTo(1100, 9);
    // Twice too late: half as much.
    expect(at(190, [0, 0, 0])(0)).toBeCloseTo(55, 9);
  });

  it('lengths are guessed anew every so many tokens, above the truth for a high quantile', () => {
    expect(normalQuantile(0.5)).toBeCloseTo(0, 6);
    expect(normalQuantile(0.975)).toBeCloseTo(1.96, 3);
    const exact = predictedLeft(density());
    expect(exact(1, 100, 30)).toBe(70);
    const guess = predictedLeft(density({ predictionError: 0.5, refreshTokens: 50 }));
    expect(guess(1, 400, 10)).toBeCloseTo(guess(1, 400, 0) - 10, 9);
    expect(guess(1, 400, 50)).not.toBeCloseTo(guess(1, 400, 49) - 1, 3);
    expect(guess(1, 400, 60)).toBe(guess(1, 400, 60));
    const upper = predictedLeft(density({ predictionError: 0.5, quantile: 0.9 }));
    expect(upper(7, 400, 0) / guess(7, 400, 0)).toBeCloseTo(Math.exp(0.5 * 1.2816), 2);
  });
});

describe('the window of like lengths', () => {
  const candidate = fc.record({
    worth: fc.integer({ min: 0, max: 20 }),
    tokens: fc.integer({ min: 1, max: 9 }),
  });

  it('has the seats, the neighbours of the largest sum among those near the best', () => {
    fc.assert(
      fc.property(
        fc.array(candidate, { maxLength: 12 }),
        fc.integer({ min: 1, max: 6 }),
        fc.constantFrom(0, 0.5, 1),
        (list, seats, share) => {
          const all = list.map((each, id) => ({ ...each, id }));
          const chosen = lengthWindow(all, seats, share);
          expect(chosen.size).toBe(Math.min(seats, all.length));
          if (all.length <= seats) return;
          const worths = all.map(({ worth }) => worth).sort((a, b) => b - a);
          const least = share * (worths[seats - 1] as number);
          const near = all
            .filter(({ worth }) => worth >= least)
            .sort((a, b) => a.tokens - b.tokens || a.id - b.id);
          let best = -1;
          for (let i = 0; i + seats <= near.length; i++) {
            const sum = near.slice(i, i + seats).reduce((total, { worth }) => total + worth, 0);
            best = Math.max(best, sum);
          }
          const sum = all.reduce((total, { id, worth }) => total + (chosen.has(id) ? worth : 0), 0);
          // Of equally worthy ones at the edge either may be counted near.
          expect(sum).toBe(best);
        },
      ),
    );
  });
});

describe('an order from outside', () => {
  const of = (more: object) =>
    externalOrder(
      priorityPart.parse({ type: 'external', everyIterations: 10, ...more }) as Parameters<
        typeof externalOrder
      >[0],
    );

  it('stays for a period and is then another one', () => {
    const order = of({});
    const before = order(3, 0, 9);
    expect(order(3, 0, 0)).toBe(before);
    expect(order(3, 0, 10)).not.toBe(before);
    expect(of({})(3, 0, 15)).toBe(order(3, 0, 15));
    expect(of({ seed: 2 })(3, 0, 15)).not.toBe(order(3, 0, 15));
  });

  it('with a Markov chain most keep their place', () => {
    const always = of({ pattern: 'markov', keepChance: 1 });
    const first = always(3, 0, 0);
    expect(always(3, 0, 500)).toBe(first);
    const never = of({ pattern: 'markov', keepChance: 0 });
    expect(never(3, 0, 0)).not.toBe(never(3, 0, 10));
  });
});
