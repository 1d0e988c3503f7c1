import fc from 'fast-check';
import { checkComposition } from '../../../lib/serving/compose/check-composition';
import { type ComposedStrategy, composedStrategy } from '../../../lib/spec/kinds/serve-parts';
import type { Workload } from '../../../lib/workload/types';
import { cached } from './arbitrary-cached';
import { alikeComposed, singleReplica } from './arbitrary-composed';

const { parse } = composedStrategy;
const works = (each: ComposedStrategy) => checkComposition(each) === undefined;
const flag = fc.boolean();

const orders = fc.constantFrom(
  { type: 'fcfs' },
  { type: 'vtc' },
  { type: 'srpt' },
  { type: 'las', binTokens: 20 },
  { type: 'external', everyIterations: 1 },
  { type: 'external', everyIterations: 7, pattern: 'markov' },
  { type: 'fair-share', deadlineSeconds: 0.5 },
  { type: 'density', ttftSeconds: 0.05, predictionError: 0.5, refreshTokens: 5, quantile: 0.8 },
  { type: 'density', decodeSeconds: 0.01 },
);

const swaps = fc.record({
  type: fc.constant('swap'),
  victim: fc.constantFrom('latest-arrival', 'lowest-priority'),
  hostGigabytesPerSecond: fc.constantFrom(0.01, 25),
  forPriority: flag,
  everyIterations: fc.constantFrom(1, 3),
  mostSwaps: fc.constantFrom(1, 100),
  costTest: flag,
  callMicroseconds: fc.constantFrom(0, 10),
  overlap: fc.constantFrom('none', 'asynchronous'),
  keepsCopy: flag,
  betweenTurns: fc.constantFrom('drop', 'host'),
  /** A token of the default model has 131 kB. */
  hostGigabytes: fc.constantFrom(0, 0.002, 0.02),
});

/** One replica whose requests give up their places to each other. */
export const displacing: fc.Arbitrary<ComposedStrategy> = fc
  .record({
    base: singleReplica,
    priority: orders,
    preemption: swaps,
    kvAlloc: fc.constantFrom(
      { type: 'paged' },
      { type: 'block-group', groupBlocks: 1 },
      { type: 'block-group', groupBlocks: 5 },
    ),
    hasWindow: flag,
    candidateShare: fc.constantFrom(0.1, 0.8),
    rejection: fc.constantFrom({ type: 'none' }, { type: 'late', waitSeconds: 0.2 }),
  })
  .map(({ base, hasWindow, candidateShare, ...parts }) =>
    parse({
      ...base,
      ...parts,
      ...(hasWindow && parts.priority.type === 'density'
        ? {
            batchFormer: { type: 'length-window', tokenBudget: 64, candidateShare },
            preemption: { ...parts.preemption, forPriority: true },
          }
        : {}),
    }),
  )
  .filter(works);

/** Caches that know sessions, and replicas that take over from each other. */
export const sessioned: fc.Arbitrary<ComposedStrategy> = fc
  .record({
    base: cached,
    replicas: fc.integer({ min: 1, max: 3 }),
    eviction: fc.constantFrom(
      { type: 'lru-heads' },
      { type: 'tool-ttl', coldStartSeconds: 0.1 },
      { type: 'tool-ttl', shrinkAbove: 0.1, releaseAbove: 0.5, coldStartSeconds: 5 },
      { type: 'workflow-lru', coldGaps: 2 },
      { type: 'workflow-lru', coldGaps: 0, pinQuantile: 0.5, soonSeconds: 0.1 },
    ),
    router: fc.constantFrom(
      { type: 'affinity-steal', mostLoad: 2, stealRatio: 1, refreshMilliseconds: 0 },
      { type: 'affinity-steal', linkGigabytesPerSecond: 0.05, stealRatio: 1 },
      { type: 'affinity-steal', stealRatio: 0 },
      { type: 'session-affine' },
    ),
    priority: fc.constantFrom({ type: 'fcfs' }, { type: 'fair-share', deadlineSeconds: 0.3 }),
  })
  .map(({ base, replicas, ...parts }) =>
    parse({
      ...base,
      ...parts,
      topology: { type: 'colocated', replicas },
      prefixIndex: { type: parts.eviction.type === 'lru-heads' ? 'block-hash' : 'radix' },
      reuseRepair: { type: 'exact' },
    }),
  )
  .filter(works);

const encoders = fc.constantFrom(
  { type: 'inline', millisecondsPerItem: 20 },
  { type: 'pool', millisecondsPerItem: 20, workers: 2 },
  { type: 'pool', millisecondsPerItem: 20, workers: 3, parallel: false, megabytesPerItem: 500 },
  {
    type: 'pool',
    millisecondsPerItem: 30,
    workers: 3,
    roles: { type: 'longest-queue', everySeconds: 0.05, switchSeconds: 0.02 },
  },
);

/** Any replicas, with encoders before or inside them. */
export const encoding: fc.Arbitrary<ComposedStrategy> = fc
  .record({ base: alikeComposed, encode: encoders })
  .map(({ base, encode }) => parse({ ...base, encode }))
  .filter(works);

/** The same requests with limits, images and kinds of tools, by their places. */
export function withMore(workload: Workload): Workload {
  const count = workload.promptTokens.length;
  const column = (of: (i: number) => number) => Array.from({ length: count }, (_, i) => of(i));
  return {
    ...workload,
    items: Int32Array.from(column((i) => i % 4)),
    limits: {
      kinds: Uint8Array.from(column((i) => i % 3)),
      groupIds: Int32Array.from(column((i) => (i % 3 === 2 ? -1 - Math.floor(i / 9) : i))),
      firstTokenSeconds: Float64Array.from(column((i) => (i % 3 === 0 ? 0.1 : Infinity))),
      lastTokenSeconds: Float64Array.from(column((i) => (i % 5 === 4 ? Infinity : 0.4))),
    },
    ...(workload.programs === undefined
      ? {}
      : { programs: { ...workload.programs, tools: Int32Array.from(column((i) => i % 2)) } }),
  };
}
