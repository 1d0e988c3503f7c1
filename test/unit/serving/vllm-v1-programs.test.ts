import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { simulate } from '../../../lib/serving/core/simulation';
import { makeCostModel } from '../../../lib/serving/cost/make-cost-model';
import { serveParams } from '../../../lib/spec/kinds/serve';
import { programs, programWorkload } from './arbitrary-programs';
import { expectTold, traceOf } from './expect-told';

const strategies = fc.record({
  type: fc.constant('vllm-v1' as const),
  replicas: fc.integer({ min: 1, max: 3 }),
  maxBatchedTokens: fc.integer({ min: 8, max: 200 }),
  maxSequences: fc.integer({ min: 1, max: 12 }),
  chunkedPrefill: fc.boolean(),
  asyncScheduling: fc.boolean(),
  prefixCaching: fc.boolean(),
  frontEndMilliseconds: fc.constantFrom(0, 5),
});

describe('programs on vLLM V1', () => {
  it('send each turn its gap after those before it, lose none, and tell why they waited', () => {
    fc.assert(
      fc.property(
        strategies,
        programs,
        fc.integer({ min: 8, max: 120 }),
        fc.nat(),
        (strategy, list, kvBlocks, pick) => {
          const document = { strategy, memory: { kvBlocks, blockTokens: 4 } };
          const params = serveParams.parse(document);
          const workload = programWorkload(list);
          const nominal = workload.arrivalSeconds.slice();
          const result = simulate(params, workload, makeCostModel(params));
          const { requests, metrics } = result;
          const graph = workload.programs as NonNullable<typeof workload.programs>;
          expect(workload.arrivalSeconds).toEqual(nominal);
          expect(metrics.completed + metrics.refused).toBe(nominal.length);
          nominal.forEach((at, i) => {
            const from = graph.offsets[i] as number;
            const before = [...graph.predecessors.subarray(from, graph.offsets[i + 1])];
            if (before.some((each) => requests.refused[each] === 1)) {
              expect(requests.refused[i]).toBe(1);
              return;
            }
            const ends = before.map((each) => requests.completedSeconds[each] as number);
            const due =
              ends.length === 0 ? at : Math.max(...ends) + (graph.gapSeconds[i] as number);
            expect(requests.arrivalSeconds[i]).toBe(due);
          });
          expect(requests.programIds).toEqual(graph.programIds);
          expectTold(traceOf(document, workload, pick % nominal.length), result);
        },
      ),
      { numRuns: 200 },
    );
  });

  it('find a turn’s KV of the turn before in the prefix cache', () => {
    const turns = [
      { own: 40, output: 9, gap: 0 },
      { own: 20, output: 5, gap: 0.3 },
    ];
    const load = programWorkload([{ start: 0, system: 0, forks: false, turns }]);
    const params = serveParams.parse({ strategy: { type: 'vllm-v1', prefixCaching: true } });
    const { prefixCache } = simulate(params, load, makeCostModel(params));
    expect(prefixCache?.hitTokens).toBe(96);
  });
});
