import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { workloadParams } from '../../../lib/spec/kinds/workload';
import { ownRatePerSecond, type RatedLoad, workloadAtRate } from '../../../lib/workload/at-rate';
import { generateSynthetic } from '../../../lib/workload/synthetic/generate';
import type { Workload } from '../../../lib/workload/types';

const traces = fc
  .array(fc.record({ gap: fc.double({ min: 0.01, max: 9, noNaN: true }), ids: fc.nat(4) }), {
    minLength: 2,
    maxLength: 40,
  })
  .map((rows): Workload => {
    let now = 0;
    const offsets = [0];
    for (const { ids } of rows) offsets.push((offsets.at(-1) as number) + ids);
    return {
      arrivalSeconds: Float64Array.from(rows, ({ gap }, i) => {
        if (i > 0) now += gap;
        return now;
      }),
      promptTokens: Int32Array.from(rows, (_, i) => i + 1),
      outputTokens: Int32Array.from(rows, (_, i) => 1000 + i),
      priority: Int32Array.from(rows, (_, i) => -i),
      clientIds: Int32Array.from(rows, (_, i) => 7 * i),
      content: {
        tokensPerId: 1,
        offsets: Int32Array.from(offsets),
        ids: Int32Array.from(rows.flatMap(({ ids }, i) => Array<number>(ids).fill(i))),
      },
      label: 'made up',
      source: 'made up',
      seed: 3,
      notes: [],
    };
  });

describe('a load at a rate', () => {
  it('has that rate, every request once, and never goes back in time', () => {
    fc.assert(
      fc.property(
        traces,
        fc.double({ min: 0.1, max: 50, noNaN: true }),
        fc.nat(4),
        (workload, rate, repeat) => {
          const load: RatedLoad = { type: 'trace', workload, seed: 3 };
          const at = workloadAtRate(load, rate, repeat);
          const count = workload.arrivalSeconds.length;
          expect(at.arrivalSeconds[0]).toBe(0);
          for (let i = 1; i < count; i++)
            expect(at.arrivalSeconds[i]!).toBeGreaterThanOrEqual(at.arrivalSeconds[i - 1]!);
          expect([...at.promptTokens].sort((a, b) => a - b)).toEqual([...workload.promptTokens]);
          // All columns of a request stay together.
          at.promptTokens.forEach((prompt, i) => {
            const row = prompt - 1;
            expect(at.outputTokens[i]).toBe(workload.outputTokens[row]);
            expect(at.priority?.[i]).toBe(workload.priority?.[row]);
            expect(at.clientIds?.[i]).toBe(workload.clientIds?.[row]);
            const ids = at.content?.ids.slice(at.content.offsets[i], at.content.offsets[i + 1]);
            expect([...(ids ?? [])].every((id) => id === row)).toBe(true);
            expect(ids?.length).toBe(
              workload.content!.offsets[row + 1]! - workload.content!.offsets[row]!,
            );
          });
          if (repeat === 0)
            expect(ownRatePerSecond({ ...load, workload: at }) / rate).toBeCloseTo(1, 9);
        },
      ),
      { numRuns: 200 },
    );
  });

  it('draws a generator anew for each repeat, at its rate', () => {
    const params = workloadParams.parse({ source: { type: 'generator', requests: 5000 } });
    const load: RatedLoad = { type: 'generator', params };
    expect(ownRatePerSecond(load)).toBe(5.53);
    const one = workloadAtRate(load, 2, 0);
    expect(4999 / (one.arrivalSeconds.at(-1) as number)).toBeGreaterThan(1.9);
    expect(4999 / (one.arrivalSeconds.at(-1) as number)).toBeLessThan(2.1);
    expect(workloadAtRate(load, 2, 0)).toEqual(one);
    expect(workloadAtRate(load, 2, 1).arrivalSeconds).not.toEqual(one.arrivalSeconds);
  });

  it('refuses what has no rate', () => {
    const params = workloadParams.parse({});
    expect(() => workloadAtRate({ type: 'generator', params }, 0, 0)).toThrow(
      'invalid rate: 0 /s (expected above 0)',
    );
    const [lone] = fc.sample(traces, { numRuns: 1, seed: 1 });
    const workload = { ...(lone as Workload), arrivalSeconds: new Float64Array(1) };
    expect(() => ownRatePerSecond({ type: 'trace', workload, seed: 1 })).toThrow(
      'invalid trace: 1 requests over 0 s (expected at least 2 arrivals apart)',
    );
  });
});

describe('a trace of programs at a rate', () => {
  it('keeps what comes of what, and turns whole programs', () => {
    const params = workloadParams.parse({
      source: { type: 'synthetic', requests: 200, program: { type: 'chat', turnsMean: 3 } },
    });
    if (params.source.type !== 'synthetic') throw new Error('unreachable');
    const workload = generateSynthetic(params, params.source);
    const load: RatedLoad = { type: 'trace', workload, seed: 5 };
    const edges = ({ promptTokens, outputTokens, programs }: Workload) =>
      [...promptTokens]
        .map((prompt, i) => {
          const before = programs!.predecessors[programs!.offsets[i]!];
          const isFirst = programs!.offsets[i] === programs!.offsets[i + 1];
          const of = isFirst ? '' : `${promptTokens[before!]} ${outputTokens[before!]}`;
          return `${programs!.programIds[i]}: ${prompt} of ${of} after ${programs!.gapSeconds[i]}`;
        })
        .sort();
    for (const repeat of [0, 1, 2, 3]) {
      const at = workloadAtRate(load, 7, repeat);
      expect(edges(at)).toEqual(edges(workload));
      expect(at.arrivalSeconds[0]).toBe(0);
      at.promptTokens.forEach((_, i) => {
        expect(at.arrivalSeconds[i]!).toBeGreaterThanOrEqual(at.arrivalSeconds[i - 1] ?? 0);
        expect(at.programs!.predecessors[at.programs!.offsets[i]!] ?? -1).toBeLessThan(200);
      });
      if (repeat === 0) expect(ownRatePerSecond({ ...load, workload: at })).toBeCloseTo(7, 9);
    }
  });
});
