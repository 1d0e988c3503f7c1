import fc from 'fast-check';
import { checkComposition } from '../../../lib/serving/compose/check-composition';
import { type ComposedStrategy, composedStrategy } from '../../../lib/spec/kinds/serve-parts';
import { anyComposed } from './arbitrary-composed';

const { parse } = composedStrategy;
const works = (each: ComposedStrategy) => checkComposition(each) === undefined;

/** Any parts, prompts in sets that go through the layers in groups. */
export const layered: fc.Arbitrary<ComposedStrategy> = fc
  .record({ base: anyComposed, maxTokens: fc.integer({ min: 20, max: 9000 }) })
  .map(({ base, maxTokens }) =>
    parse({
      ...base,
      topology: { type: 'colocated', replicas: 2 },
      batchFormer: { type: 'iteration-level' },
      chunker: { type: 'layer-group', maxTokens },
    }),
  )
  .filter(works);

export const partitions = fc.constantFrom(
  { type: 'static' },
  { type: 'static', prefillShare: 0.3, decodeShare: 0.7 },
  { type: 'slo-feedback', windowSeconds: 0.05, ttftSeconds: 0.05, tbtSeconds: 0.011 },
  { type: 'model-driven' },
  { type: 'model-driven', switchThreshold: 0.1, hysteresis: 0, slack: 1 },
);

/** Any parts, prompts and decodes at the same time. */
export const partitioned: fc.Arbitrary<ComposedStrategy> = fc
  .record({ base: anyComposed, partition: partitions, replicas: fc.integer({ min: 1, max: 3 }) })
  .map(({ base, partition, replicas }) =>
    parse({ ...base, topology: { type: 'colocated', replicas }, partition }),
  )
  .filter(works);

/** Any pools, with prompts that stop for more urgent ones. */
export const pausing: fc.Arbitrary<ComposedStrategy> = fc
  .record({
    base: anyComposed,
    prefillReplicas: fc.integer({ min: 1, max: 2 }),
    baseSeconds: fc.constantFrom(0.005, 0.03, 1),
    secondsPerPromptToken: fc.constantFrom(0, 0.0005),
    operatorMilliseconds: fc.constantFrom(0.1, 2, 20),
  })
  .map(({ base, prefillReplicas, operatorMilliseconds, ...times }) =>
    parse({
      ...base,
      topology: { type: 'pools', prefillReplicas, linkGigabytesPerSecond: 1 },
      priority: { type: 's-edf', ...times },
      chunker: { type: 'whole' },
      preemption: { type: 'pause-at-operator', operatorMilliseconds },
    }),
  )
  .filter(works);
