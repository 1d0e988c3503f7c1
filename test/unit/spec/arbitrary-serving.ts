import fc from 'fast-check';
import { int, text } from './arbitrary-basics';
import { syntheticSource } from './arbitrary-workload';

const composed = fc.record(
  {
    type: fc.constant('composed'),
    name: fc.string({ minLength: 1, maxLength: 9 }),
    topology: fc.oneof(
      fc.record({ type: fc.constant('colocated'), replicas: int(1, 256) }),
      fc.record({
        type: fc.constant('pools'),
        overlap: fc.constantFrom(0, 0.5, 1),
        pull: fc.constantFrom({ type: 'admission' }, { type: 'threshold', share: 0.1 }),
        decodeTensorParallel: fc.constantFrom(0, 2),
        prefillPipelineParallel: fc.constantFrom(0, 4),
      }),
    ),
    router: fc.record({
      type: fc.constantFrom('round-robin', 'random', 'least-ttft', 'affinity-steal'),
    }),
    priority: fc.record({
      type: fc.constantFrom(
        'fcfs',
        'sjf',
        'vtc',
        'lpm',
        's-edf',
        'density',
        'external',
        'fair-share',
      ),
    }),
    admission: fc.record({
      type: fc.constantFrom('fits', 'future-peak'),
      maxSequences: int(1, 99),
    }),
    batchFormer: fc.record({ type: fc.constantFrom('static', 'iteration-level', 'length-window') }),
    chunker: fc.record({ type: fc.constantFrom('whole', 'budget', 'fixed', 'layer-group') }),
    preemption: fc.record({
      type: fc.constantFrom('recompute', 'swap', 'none', 'pause-at-operator'),
    }),
    partition: fc.oneof(
      fc.record({
        type: fc.constant('static'),
        prefillShare: fc.constantFrom(0.01, 0.5, 1),
      }),
      fc.record({
        type: fc.constantFrom('none', 'slo-feedback', 'model-driven'),
      }),
    ),
    kvAlloc: fc.record({ type: fc.constantFrom('paged', 'block-group', 'contiguous-max') }),
    prefixIndex: fc.record({ type: fc.constantFrom('none', 'block-hash', 'radix', 'chunk') }),
    reuseRepair: fc.record({ type: fc.constantFrom('exact', 'fraction', 'per-chunk') }),
    tierStore: fc.oneof(
      fc.constant({ type: 'none' }),
      fc.record({
        type: fc.constant('tiers'),
        levels: fc.array(fc.record({ scope: fc.constantFrom('replica', 'shared') }), {
          minLength: 1,
          maxLength: 4,
        }),
      }),
    ),
    rejection: fc.record({ type: fc.constantFrom('none', 'early', 'late') }),
    encode: fc.oneof(
      fc.record({ type: fc.constantFrom('none', 'inline') }),
      fc.record({
        type: fc.constant('pool'),
        workers: int(1, 64),
        roles: fc.constantFrom({ type: 'none' }, { type: 'longest-queue', everySeconds: 2 }),
      }),
    ),
    eviction: fc.record({
      type: fc.constantFrom('lru', 'lru-heads', 'tool-ttl', 'workflow-lru', 'belady'),
    }),
  },
  { requiredKeys: ['type'] },
);

const microseconds = fc.double({ min: 0, max: 1e6, noNaN: true });
const operatorCost = fc.record(
  {
    baseMicroseconds: microseconds,
    lateBaseMicroseconds: fc.double({ min: -1e6, max: 1e6, noNaN: true }),
    latePerTokenMicroseconds: microseconds,
  },
  { requiredKeys: [] },
);
const profile = fc.oneof(
  fc.record(
    {
      law: fc.constant('iteration'),
      label: text,
      rows: int(0, 1e6),
      baseMicroseconds: microseconds,
      perPairMicroseconds: microseconds,
    },
    { requiredKeys: ['law'] },
  ),
  fc.record(
    {
      law: fc.constant('operators'),
      model: fc.constantFrom('none', 'llama-3.1-8b'),
      layers: int(1, 100),
      gateUp: operatorCost,
      decodeAttention: fc.record(
        { perContextTokenMicroseconds: microseconds },
        { requiredKeys: [] },
      ),
      skewWeight: fc.double({ min: 0, max: 1, noNaN: true }),
    },
    { requiredKeys: ['law'] },
  ),
);

/** Params of the cells that simulate. */
export const servingParams = {
  workload: fc.record(
    {
      source: fc.oneof(
        fc.record(
          {
            type: fc.constant('generator'),
            requests: int(1, 5000),
            arrival: fc.constantFrom('poisson', 'gamma', 'uniform'),
            lengths: fc.constantFrom('fixed', 'azure-2023-conversation'),
          },
          { requiredKeys: ['type'] },
        ),
        fc.record(
          {
            type: fc.constant('json-lines'),
            tokensPerHash: int(1, 1024),
            tickSpread: fc.constantFrom('none', 'in-order', 'uniform'),
          },
          { requiredKeys: ['type'] },
        ),
        syntheticSource,
        fc.record(
          {
            type: fc.constant('trace'),
            format: fc.constantFrom('auto', 'burstgpt', 'sharegpt', 'splitwise'),
            logType: fc.constantFrom('all', 'conversation', 'api'),
            standIn: fc.constantFrom('characters', 'words'),
            tickSeconds: fc.double({ min: 0.001, max: 3600, noNaN: true }),
          },
          { requiredKeys: ['type'] },
        ),
        fc.record(
          { type: fc.constant('azure-csv'), fileName: fc.string({ maxLength: 30 }) },
          { requiredKeys: ['type'] },
        ),
        fc.record(
          { type: fc.constant('csv'), arrivalColumn: fc.string({ minLength: 1, maxLength: 9 }) },
          { requiredKeys: ['type'] },
        ),
      ),
      rateScale: fc.double({ min: 0.001, max: 1000, noNaN: true }),
    },
    { requiredKeys: [] },
  ),
  serve: fc.record(
    {
      model: fc.constantFrom('llama-3.1-8b', 'opt-13b', 'qwen3-32b', 'mixtral-8x7b'),
      strategy: fc.oneof(
        fc.record({ type: fc.constant('vllm'), replicas: int(1, 8) }, { requiredKeys: ['type'] }),
        fc.record(
          {
            type: fc.constant('vllm-v1'),
            maxBatchedTokens: int(1, 16_384),
            prefixCaching: fc.boolean(),
            order: fc.constantFrom('fcfs', 'priority'),
            frontEndMilliseconds: fc.double({ min: 0, max: 100, noNaN: true }),
          },
          { requiredKeys: ['type'] },
        ),
        fc.record(
          { type: fc.constant('sarathi'), tokenBudget: int(1, 8192) },
          { requiredKeys: ['type'] },
        ),
        fc.record(
          {
            type: fc.constant('distserve'),
            pullThreshold: fc.double({ min: 0, max: 1, noNaN: true }),
          },
          { requiredKeys: ['type'] },
        ),
        composed,
      ),
      costModel: fc.oneof(
        fc.record(
          {
            type: fc.constant('roofline'),
            computeEfficiency: fc.double({ min: 0.01, max: 1, noNaN: true }),
            collectiveLatencyMicroseconds: fc.double({ min: 0, max: 100, noNaN: true }),
            overlap: fc.oneof(
              fc.record({ type: fc.constantFrom('serial', 'fused') }),
              fc.record(
                {
                  type: fc.constant('lanes'),
                  nanoBatches: int(1, 16),
                  interference: fc.double({ min: 0, max: 4, noNaN: true }),
                },
                { requiredKeys: ['type'] },
              ),
              fc.record(
                { type: fc.constant('token-split'), thresholdTokens: int(0, 9999) },
                { requiredKeys: ['type'] },
              ),
            ),
          },
          { requiredKeys: ['type'] },
        ),
        fc.constant({ type: 'fitted' }),
        fc.constant({ type: 'calibrated' }),
        fc.record({ type: fc.constant('profile'), profile }),
        fc.constant({ type: 'tables' }),
        fc.record(
          {
            type: fc.constant('op-tables'),
            linkGigabytesPerSecond: fc.double({ min: 0, max: 900, noNaN: true }),
          },
          { requiredKeys: ['type'] },
        ),
      ),
      transform: fc.oneof(
        fc.constant({ type: 'none' }),
        fc.record(
          { type: fc.constant('preset'), preset: fc.constantFrom('dfloat11', 'lserve') },
          { requiredKeys: ['type'] },
        ),
        fc.record(
          {
            type: fc.constant('vector'),
            weightBytes: fc.double({ min: 0.01, max: 4, noNaN: true }),
            unpacksWeights: fc.boolean(),
            kvBudgetTokens: int(0, 9999),
          },
          { requiredKeys: ['type'] },
        ),
      ),
      speculation: fc.oneof(
        fc.constant({ type: 'none' }),
        fc.record(
          {
            type: fc.constant('draft'),
            draftTokens: int(1, 64),
            measuredBy: fc.string({ maxLength: 20 }),
            acceptances: fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 4 }),
          },
          { requiredKeys: ['type'] },
        ),
      ),
      energy: fc.record(
        {
          idleShare: fc.double({ min: 0, max: 1, noNaN: true }),
          pricePerAcceleratorHour: fc.double({ min: 0, max: 99, noNaN: true }),
        },
        { requiredKeys: [] },
      ),
      slo: fc.record(
        { ttftSeconds: fc.double({ min: 0.001, max: 100, noNaN: true }) },
        { requiredKeys: [] },
      ),
    },
    { requiredKeys: [] },
  ),
  sweep: fc.record(
    {
      leastRatePerSecond: fc.constantFrom(0, 0.5),
      mostRatePerSecond: fc.constantFrom(0, 12),
      points: int(2, 100),
      seeds: int(1, 20),
      findMaximum: fc.boolean(),
      tolerance: fc.constantFrom(0.02, 0.1),
    },
    { requiredKeys: [] },
  ),
  check: fc.record(
    { check: fc.constantFrom('sarathi', 'fusion-2.5'), seed: int(0, 99) },
    { requiredKeys: [] },
  ),
  plan: fc.record(
    {
      accelerators: int(1, 64),
      arrangements: fc.constantFrom('both', 'colocated', 'pools'),
      refine: int(1, 64),
      pricePerAcceleratorHour: fc.constantFrom(0, 2.5),
      choose: fc.constantFrom('goodput', 'cost', 'energy'),
    },
    { requiredKeys: [] },
  ),
};
