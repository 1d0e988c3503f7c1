import fc from 'fast-check';
import { checkComposition } from '../../../lib/serving/compose/check-composition';
import { type ComposedStrategy, composedStrategy } from '../../../lib/spec/kinds/serve-parts';
import { alikeComposed } from './arbitrary-composed';
import { partitions } from './arbitrary-shared';

const evictions = fc.constantFrom(
  { type: 'lru' },
  { type: 'lfu' },
  { type: 'fifo' },
  { type: 'gdsf' },
  { type: 'belady' },
  { type: 'ttl', seconds: 0.2 },
  { type: 'ttl', seconds: 1000 },
  { type: 'utility-ttl', coldStartSeconds: 0.5 },
);

const routers = fc.constantFrom(
  { type: 'prefix-affinity', balanceDifference: 2 },
  { type: 'prefix-affinity', matchThreshold: 0.1 },
  { type: 'least-ttft' },
  { type: 'reject-retry', maxWaiting: 1, timeoutSeconds: 0.05 },
  { type: 'reject-retry', maxWaiting: 2 },
);

const priorities = fc.constantFrom(
  { type: 'program-fcfs' },
  { type: 'lpm', fcfsAbove: 3 },
  { type: 'lpm' },
  { type: 'hit-ratio' },
  { type: 'las', binTokens: 50 },
  { type: 'mlfq', baseTokens: 30 },
  { type: 's-edf', baseSeconds: 0.05 },
  { type: 'density', ttftSeconds: 0.05 },
);

const level = fc.record({
  scope: fc.constantFrom('replica', 'shared'),
  /** A token of the default model has 131 kB. */
  capacityGigabytes: fc.constantFrom(0, 0.005, 0.02, 1),
  readGigabytesPerSecond: fc.constantFrom(0.01, 1, 100),
  writeGigabytesPerSecond: fc.constantFrom(0.01, 1, 100),
  operationMicroseconds: fc.constantFrom(0, 100),
  bytesRatio: fc.constantFrom(1, 0.25),
});

const tierStores = fc.record({
  type: fc.constant('tiers'),
  levels: fc.array(level, { minLength: 1, maxLength: 3 }),
  load: fc.constantFrom('always', 'cheaper'),
  overlap: fc.constantFrom('none', 'layer-wise'),
  write: fc.constantFrom('on-eviction', 'through'),
});

/** Any parts, with a cache and whatever else only the general engine knows. */
export const cached: fc.Arbitrary<ComposedStrategy> = fc
  .record({
    base: alikeComposed,
    reuse: fc.constantFrom(
      { prefixIndex: { type: 'block-hash' } },
      { prefixIndex: { type: 'block-hash' } },
      { prefixIndex: { type: 'radix' } },
      { prefixIndex: { type: 'radix' } },
      {
        prefixIndex: { type: 'chunk', chunkTokens: 16 },
        reuseRepair: { type: 'fraction', fraction: 0.2 },
      },
      {
        prefixIndex: { type: 'chunk', chunkTokens: 32 },
        reuseRepair: { type: 'per-chunk', contextImpact: 0.7, versions: 2 },
      },
    ),
    eviction: evictions,
    router: fc.option(routers, { nil: undefined }),
    priority: fc.option(priorities, { nil: undefined }),
    tierStore: fc.option(tierStores, { nil: undefined }),
    partition: fc.option(partitions, { nil: undefined, freq: 3 }),
    rejection: fc.constantFrom(
      { type: 'none' },
      { type: 'none' },
      { type: 'early', ttftSeconds: 0.05 },
      { type: 'early', tbtSeconds: 0.012, decodeLoad: 'now' },
    ),
  })
  .map(({ base, reuse, eviction, router, priority, tierStore, partition, rejection }) =>
    composedStrategy.parse({
      ...base,
      ...reuse,
      eviction,
      rejection,
      router: router ?? base.router,
      priority: priority ?? base.priority,
      ...(tierStore === undefined ? {} : { tierStore }),
      ...(partition === undefined || base.topology.type === 'pools' ? {} : { partition }),
    }),
  )
  .filter((each) => checkComposition(each) === undefined);
