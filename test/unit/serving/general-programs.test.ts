import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { simulate } from '../../../lib/serving/core/simulation';
import { makeCostModel } from '../../../lib/serving/cost/make-cost-model';
import { serveParams } from '../../../lib/spec/kinds/serve';
import { alikeComposed } from './arbitrary-composed';
import { programs, programWorkload } from './arbitrary-programs';

describe('programs', () => {
  it('send each request its gap after the last of its predecessors, whatever the strategy', () => {
    const seen = { sent: 0, refused: 0 };
    fc.assert(
      fc.property(
        alikeComposed,
        programs,
        fc.integer({ min: 8, max: 120 }),
        (strategy, list, kvBlocks) => {
          const params = serveParams.parse({ strategy, memory: { kvBlocks, blockTokens: 4 } });
          const workload = programWorkload(list);
          const before = workload.arrivalSeconds.slice();
          const { requests, metrics } = simulate(params, workload, makeCostModel(params));
          const graph = workload.programs as NonNullable<typeof workload.programs>;
          expect(workload.arrivalSeconds).toEqual(before);
          expect(metrics.completed + metrics.refused).toBe(before.length);
          before.forEach((nominal, i) => {
            const sources = [
              ...graph.predecessors.subarray(graph.offsets[i], graph.offsets[i + 1]),
            ];
            if (sources.some((each) => requests.refused[each] === 1)) {
              expect(requests.refused[i]).toBe(1);
              return;
            }
            const ends = sources.map((each) => requests.completedSeconds[each] as number);
            const due =
              ends.length === 0 ? nominal : Math.max(...ends) + (graph.gapSeconds[i] as number);
            expect(requests.arrivalSeconds[i]).toBe(due);
            seen.sent++;
          });
          seen.refused += metrics.refused;
          const all = Array.from(new Set(graph.programIds), (program) => {
            const own = [...graph.programIds.keys()].filter((i) => graph.programIds[i] === program);
            const first = Math.min(...own.map((i) => requests.arrivalSeconds[i] as number));
            return Math.max(...own.map((i) => requests.completedSeconds[i] as number)) - first;
          }).filter((each) => !Number.isNaN(each));
          expect(metrics.programs?.completed).toBe(all.length);
          if (all.length > 0)
            expect(metrics.programs?.completionSeconds.mean).toBeCloseTo(
              all.reduce((a, b) => a + b, 0) / all.length,
              9,
            );
        },
      ),
      { numRuns: 200 },
    );
    expect(seen.sent).toBeGreaterThan(50);
    expect(seen.refused).toBeGreaterThan(0);
  });

  it('counts from the time of sending, and names the strategies that cannot send them', () => {
    const workload = programWorkload([
      {
        start: 1,
        system: 0,
        forks: false,
        turns: [
          { own: 5, output: 4, gap: 0 },
          { own: 5, output: 4, gap: 7 },
        ],
      },
    ]);
    const run = (type: string) => {
      const params = serveParams.parse({ strategy: { type } });
      return simulate(params, workload, makeCostModel(params));
    };
    const { requests, metrics } = run('vllm');
    expect(requests.arrivalSeconds[1]).toBe((requests.completedSeconds[0] as number) + 7);
    expect(metrics.ttftSeconds.max).toBeLessThan(1);
    expect(metrics.programs?.completionSeconds.p95).toBeGreaterThan(7);
    expect(() => run('distserve')).toThrow(
      'invalid pull: "threshold" with prefix caches, tiers, programs',
    );
  });
});
