import fc from 'fast-check';
import { checkComposition } from '../../../lib/serving/compose/check-composition';
import { type ComposedStrategy, composedStrategy } from '../../../lib/spec/kinds/serve-parts';
import type { Workload } from '../../../lib/workload/types';

const typed = (type: string, more: Record<string, fc.Arbitrary<unknown>> = {}) =>
  fc.record({ type: fc.constant(type), ...more });
const int = (min: number, max: number) => fc.integer({ min, max });
const maxSequences = int(1, 20);
const victim = fc.constantFrom('last-admitted', 'latest-arrival', 'lowest-priority');

export const priorities = fc.oneof(
  typed('fcfs'),
  typed('lcfs'),
  typed('sjf', {
    by: fc.constantFrom('prompt', 'output', 'total'),
    agingTokensPerSecond: fc.constantFrom(0, 20),
    predictionError: fc.constantFrom(0, 0.5),
  }),
  typed('srpt', { predictionError: fc.constantFrom(0, 0.5) }),
  typed('edf', { baseSeconds: fc.constant(0.1), secondsPerPromptToken: fc.constantFrom(0, 0.01) }),
  typed('vtc'),
);
const parts = {
  priority: priorities,
  admission: fc.oneof(
    typed('watermark', { maxSequences }),
    typed('fits', { maxSequences }),
    typed('reserve-max', { maxSequences, maxTokens: int(60, 260) }),
    typed('whole-request', { maxSequences }),
    typed('future-peak', { maxSequences }),
  ),
  batchFormer: fc.oneof(
    typed('prefill-first', {
      maxBatchedTokens: int(1, 400),
      counting: fc.constantFrom('padded', 'sum'),
      patience: fc.constantFrom(0, 0, 1, 4),
    }),
    typed('decode-first', { tokenBudget: int(1, 200) }),
    typed('iteration-level'),
    typed('static'),
  ),
  chunker: fc.oneof(typed('whole'), typed('budget'), typed('fixed', { chunkTokens: int(1, 64) })),
  preemption: fc.oneof(
    typed('recompute', { victim, forPriority: fc.boolean() }),
    typed('swap', { victim, hostGigabytesPerSecond: fc.constantFrom(0.01, 25) }),
    typed('none'),
  ),
  kvAlloc: fc.oneof(typed('paged'), typed('contiguous-max', { maxTokens: int(60, 260) })),
};

/** One replica, any parts that work together. */
export const singleReplica: fc.Arbitrary<ComposedStrategy> = fc
  .record({ type: fc.constant('composed' as const), ...parts })
  .map((each) => composedStrategy.parse(each))
  .filter((each) => checkComposition(each) === undefined);

/** Any topology and router over any parts. */
export const anyComposed: fc.Arbitrary<ComposedStrategy> = fc
  .record({
    type: fc.constant('composed' as const),
    ...parts,
    topology: fc.oneof(
      typed('colocated', { replicas: int(1, 4) }),
      typed('pools', {
        prefillReplicas: int(1, 2),
        decodeReplicas: int(1, 3),
        linkGigabytesPerSecond: fc.constantFrom(0.001, 1, 100),
        overlap: fc.constantFrom(0, 0.9, 1),
        pull: fc.oneof(
          typed('admission'),
          typed('threshold', {
            share: fc.constantFrom(0, 0.05, 0.5, 1),
            maxPrefillSequences: int(1, 8),
          }),
        ),
        prefillTensorParallel: fc.constantFrom(0, 2),
        prefillPipelineParallel: fc.constantFrom(0, 0, 2),
        decodePipelineParallel: fc.constantFrom(0, 0, 3),
      }),
    ),
    router: fc.oneof(
      typed('round-robin'),
      typed('least-outstanding'),
      typed('least-tokens'),
      typed('random', { seed: int(0, 9) }),
      typed('power-of-two', { seed: int(0, 9) }),
      typed('session-affine'),
    ),
  })
  .map((each) => composedStrategy.parse(each))
  .filter((each) => checkComposition(each) === undefined);

/** Those of them that the general engine takes: pulled by admission. */
export const alikeComposed: fc.Arbitrary<ComposedStrategy> = anyComposed.map((strategy) => {
  const { topology } = strategy;
  if (topology.type !== 'pools') return strategy;
  return { ...strategy, topology: { ...topology, pull: { type: 'admission' as const } } };
});

export type Row = readonly [arrival: number, prompt: number, output: number, client: number];

export const workloadRows: fc.Arbitrary<Row[]> = fc
  .array(
    fc.tuple(
      fc.oneof(fc.constant(0), fc.double({ min: 0, max: 3, noNaN: true })),
      int(1, 150),
      int(1, 60),
      int(0, 3),
    ),
    { minLength: 1, maxLength: 40 },
  )
  .map((rows) => rows.sort((a, b) => a[0] - b[0]));

export function workloadOf(rows: readonly Row[]): Workload {
  return {
    arrivalSeconds: Float64Array.from(rows, (row) => row[0]),
    promptTokens: Int32Array.from(rows, (row) => row[1]),
    outputTokens: Int32Array.from(rows, (row) => row[2]),
    clientIds: Int32Array.from(rows, (row) => row[3]),
    label: 'test',
    source: 'test',
    seed: 0,
    notes: [],
  };
}
