import fc from 'fast-check';
import { PLOT_CHARTS } from '../../../lib/spec/kinds/views';
import { type Notebook, notebookSchema } from '../../../lib/spec/notebook';
import { syntheticSource } from './arbitrary-workload';

const int = (min: number, max: number) => fc.integer({ min, max });
const text = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 80 }),
  fc
    .array(
      fc.constantFrom(
        '# a',
        '',
        ' ',
        '```cell serve #x',
        '````cell',
        '```',
        '---',
        '<!-- text #a -->',
        '\\<!-- text #b -->',
        '\\\\```cell a #b',
        'x\r',
        '&#13;',
        'title: y',
        '{"a":1}',
      ),
      { maxLength: 8 },
    )
    .map((lines) => lines.join('\n')),
);

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

const params = {
  text: fc.record({ markdown: text }, { requiredKeys: [] }),
  attention: fc.record(
    {
      shape: fc.record(
        {
          batch: int(1, 3),
          queries: int(1, 4096),
          keys: int(1, 4096),
          headSize: int(1, 64).map((n) => n * 4),
          queryHeads: fc.constantFrom(2, 8, 16),
        },
        { requiredKeys: [] },
      ),
      structure: fc.record(
        { bandStrength: fc.double({ min: 0, max: 16, noNaN: true }), needleCount: int(1, 64) },
        { requiredKeys: [] },
      ),
      inputs: fc.oneof(
        fc.constant({ source: 'synthetic' }),
        fc.record(
          {
            source: fc.constant('file'),
            fileName: fc.string({ maxLength: 30 }),
            query: fc.string({ minLength: 1, maxLength: 9 }),
            layout: fc.constantFrom('bhnd', 'nhd'),
          },
          { requiredKeys: ['source'] },
        ),
      ),
      variant: fc.oneof(
        fc.constant({ type: 'dense' }),
        fc.constant({ type: 'causal' }),
        fc.record(
          { type: fc.constant('sliding-window'), windowTokens: int(1, 999) },
          { requiredKeys: ['type'] },
        ),
        fc.record(
          { type: fc.constant('window-sinks'), sinkTokens: int(1, 99) },
          { requiredKeys: ['type'] },
        ),
        fc.record(
          { type: fc.constant('documents'), causal: fc.boolean() },
          { requiredKeys: ['type'] },
        ),
        fc.record({
          type: fc.constant('formula'),
          mask: fc.constantFrom(
            [],
            ['k', 'q', '<='],
            ['q', 'tag', 'k', 'tag', '==', 'q', 'k', '-', 'reach', '<', 'and'],
          ),
          score: fc.constantFrom([], ['score', 0.5, '*', 'h', '+']),
          numbers: fc.constant([{ name: 'reach', value: 4, min: 0, max: 9 }]),
          tables: fc.constant([{ name: 'tag', source: 'segments' }]),
        }),
      ),
      engine: fc.constantFrom('auto', 'webgpu', 'cpu'),
      seed: int(0, 99),
    },
    { requiredKeys: [] },
  ),
  compose: fc
    .record(
      {
        shape: fc.constantFrom({}, { queries: 64, keys: 512 }, { queryHeads: 4, kvHeads: 1 }),
        encoding: fc.constantFrom(
          { type: 'none' },
          { type: 'rope', pairing: 'interleaved', scaling: { type: 'yarn', factor: 2 } },
          { type: 'xpos', gamma: 0.5 },
          { type: 'alibi' },
        ),
        positions: fc.constantFrom(
          { type: 'absolute' },
          { type: 'slot-index', sinkTokens: 0, recentTokens: 9 },
          { type: 'shared-start', prefixKeys: 3 },
          { type: 'decoupled', output: 'gap', gapTokens: 7 },
        ),
        rule: fc.constantFrom(
          { type: 'merge' },
          { type: 'gate' },
          { type: 'gate', gates: { type: 'values', values: [0.25] } },
          { type: 'difference', lambda: -0.5 },
        ),
        sink: fc.constantFrom({ type: 'off-by-one' }, { type: 'logit', logit: 2 }),
        parts: fc.constant([
          { name: 'a', variant: { type: 'causal' }, temperature: 0.5 },
          { name: 'b 2', variant: { type: 'formula', mask: ['k', 'q', '>'] }, lseScale: 2 },
        ]),
        seed: int(0, 99),
      },
      { requiredKeys: [] },
    )
    .chain((made) =>
      fc.constantFrom(made, {
        parts: [{ name: 'only' }],
        rule: { type: 'latent', rank: 32 },
        encoding: { type: 'rope' },
      }),
    )
    .chain((made) =>
      fc.constantFrom(made, {
        encoding: { type: 'rope' },
        positions: { type: 'multimodal', frames: 2, hasSound: false, sections: [1, 2, 1] },
      }),
    ),
  recurrent: fc.record(
    {
      shape: fc.record({ tokens: int(1, 999), keySize: int(1, 128) }, { requiredKeys: [] }),
      rule: fc.constantFrom(
        { type: 'retnet' },
        { type: 'additive', normalise: false },
        { type: 'mom', memories: 4, hasShared: true },
        { type: 'lmu', thetaTokens: 100 },
        { type: 'lact', chunkTokens: 9, hasMomentum: true },
        { type: 'temporal-lora', chunkTokens: 7, rank: 3 },
      ),
      convolutionWidth: int(1, 4),
      readout: fc.constantFrom('plain', 'memory-unit'),
      engine: fc.constantFrom('auto', 'webgpu', 'wasm', 'cpu'),
      hybrid: fc.record(
        {
          layers: int(1, 128),
          softmaxEvery: int(0, 128),
          windowTokens: int(1, 65_536),
          crossLayers: int(0, 128),
        },
        { requiredKeys: [] },
      ),
    },
    { requiredKeys: [] },
  ),
  model: fc.record(
    {
      source: fc.oneof(
        fc.constant({ type: 'recall' }),
        fc.record({ type: fc.constant('file'), fileName: fc.string({ maxLength: 30 }) }),
        fc.record({ type: fc.constant('url'), base: fc.constantFrom('', 'https://host/a b') }),
      ),
      engine: fc.constantFrom('auto', 'webgpu', 'wasm', 'reference'),
      prompt: text,
      newTokens: int(0, 512),
    },
    { requiredKeys: [] },
  ),
  cache: fc.record(
    {
      engine: fc.constantFrom('auto', 'webgpu', 'wasm', 'reference'),
      entries: fc.array(
        fc.oneof(
          fc.record(
            {
              type: fc.constant('preset'),
              id: fc.constantFrom('full', 'snapkv', 'not-known'),
              share: fc.double({ min: 0.005, max: 1, noNaN: true }),
              gates: fc.record({ type: fc.constant('fitted'), samples: int(1, 64) }),
            },
            { requiredKeys: ['type', 'id'] },
          ),
          fc.record({
            type: fc.constant('composed'),
            label: fc.constantFrom('mine', 'a: b', '```'),
            policy: fc.record(
              {
                budget: fc.constantFrom(
                  { type: 'ratio', share: 0.25 },
                  { type: 'tokens', tokens: 7 },
                  { type: 'bytes', bytes: 4096 },
                ),
                scorer: fc.constantFrom(
                  { type: 'position' },
                  { type: 'random' },
                  { type: 'attention', queries: 'window', windowTokens: 8 },
                  { type: 'expected-attention', sinkTokens: 4 },
                ),
                action: fc.constantFrom(
                  { type: 'evict' },
                  { type: 'quantise', form: { type: 'per-token', bits: 4 } },
                  { type: 'project', slots: 'victims', form: { type: 'low-rank', keyShare: 0.5 } },
                  { type: 'offload', fetch: { type: 'all' } },
                  { type: 'offload', pageTokens: 8, fetch: { type: 'pages', share: 0.5 } },
                  { type: 'recompute', fromLayer: 0, share: 0.5 },
                  { type: 'merge', similarity: -0.5 },
                ),
                selector: fc.constant({ recent: { type: 'rest' } }),
                allocator: fc.constantFrom({ type: 'uniform' }, { type: 'pyramid', beta: 20 }),
              },
              { requiredKeys: ['budget'] },
            ),
          }),
        ),
        { minLength: 1, maxLength: 3 },
      ),
      task: fc.constantFrom('passkey', 'niah-multi-key'),
      contextTokens: int(32, 4096),
      samples: int(1, 2000),
      protocol: fc.constantFrom('known', 'hidden', 'turns'),
    },
    { requiredKeys: [] },
  ),
  'recall-gap': fc.record(
    {
      models: fc.subarray(['softmax', 'linear', 'gated-delta', 'window-hybrid'], { minLength: 1 }),
      pairs: fc.array(int(2, 64), { minLength: 1, maxLength: 5 }),
      samples: int(1, 500),
      questions: int(1, 32),
      order: fc.constantFrom('last', 'first'),
      readTwice: fc.boolean(),
      seed: int(0, 999),
    },
    { requiredKeys: [] },
  ),
  speculate: fc.record(
    {
      drafter: fc.constantFrom('draft-lookup', 'draft-snapkv', 'not-known'),
      share: fc.double({ min: 0.005, max: 1, noNaN: true }),
      draftTokens: int(1, 16),
      text: fc.oneof(
        fc.record(
          {
            type: fc.constant('sample'),
            sample: fc.constantFrom('facts', 'copy'),
            seed: int(0, 9),
          },
          { requiredKeys: ['type'] },
        ),
        fc.record({ type: fc.constant('prompt'), prompt: text }),
      ),
      newTokens: int(2, 256),
    },
    { requiredKeys: [] },
  ),
  decode: fc.oneof(
    fc.record(
      {
        shape: fc.record(
          { queries: int(1, 8), keys: int(1, 999), headSize: fc.constantFrom(16, 64, 96) },
          { requiredKeys: [] },
        ),
        storages: fc.uniqueArray(
          fc.record(
            {
              name: fc.constantFrom('f32', 'a', 'b: c', '```'),
              key: fc.oneof(
                fc.constantFrom(
                  { type: 'f32' },
                  { type: 'f16' },
                  { type: 'bf16' },
                  { type: 'delta', threshold: 0.25, place: 'after-rope' },
                ),
                fc.record(
                  {
                    type: fc.constant('quantised'),
                    bits: fc.constantFrom(2, 4, 8),
                    mode: fc.constantFrom('symmetric', 'asymmetric'),
                    granularity: fc.oneof(
                      fc.constantFrom({ type: 'token' }, { type: 'grouped', groupChannels: 16 }),
                      fc.record({
                        type: fc.constantFrom('channel', 'rope-pair'),
                        groupTokens: int(1, 99),
                      }),
                    ),
                    scaleType: fc.constantFrom('f16', 'f32'),
                  },
                  { requiredKeys: ['type'] },
                ),
              ),
            },
            { requiredKeys: ['name'] },
          ),
          { minLength: 1, maxLength: 4, selector: ({ name }) => name },
        ),
        splits: int(0, 64),
        keyOutliers: fc.double({ min: 0, max: 64, noNaN: true }),
      },
      { requiredKeys: [] },
    ),
    fc.record({
      storages: fc
        .constantFrom('f32', 'f16', 'bf16')
        .map((type) => [{ name: 'f32' }, { name: 'paged', key: { type }, value: { type } }]),
      layout: fc.record(
        {
          type: fc.constant('paged'),
          pageTokens: fc.constantFrom(16, 32),
          lengths: fc.constantFrom('equal', 'ragged'),
          sharedPrefixTokens: int(0, 4096),
        },
        { requiredKeys: ['type'] },
      ),
    }),
  ),
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
  map: fc.record(
    {
      scale: fc.constantFrom('log', 'linear'),
      mass: fc.constantFrom('kept', 'all'),
      layer: int(0, 3),
      show: fc.constantFrom('first', 'second', 'difference'),
      window: fc.record({
        queryStart: int(0, 9),
        queryEnd: int(10, 99),
        keyStart: int(0, 9),
        keyEnd: int(10, 99),
      }),
    },
    { requiredKeys: [] },
  ),
  timeline: fc.record(
    { startSeconds: fc.double({ min: 0, max: 100, noNaN: true }), endSeconds: int(100, 999) },
    { requiredKeys: [] },
  ),
  plot: fc.record(
    { chart: fc.constantFrom(...PLOT_CHARTS), logX: fc.boolean() },
    { requiredKeys: [] },
  ),
  compare: fc.record(
    {
      measure: fc.constantFrom('ttft', 'tpot', 'e2e', 'stall'),
      order: fc.constantFrom('lost', 'gained', 'request'),
      startSeconds: fc.double({ min: 0, max: 100, noNaN: true }),
      endSeconds: int(100, 999),
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
  table: fc.record({ percentile: fc.constantFrom('p50', 'p99') }, { requiredKeys: [] }),
};

/** Some of them; a plot takes eight at most. */
const pick = <T>(ids: readonly T[], n: number): T[] =>
  ids.slice(0, Math.min(8, Math.max(1, n % (ids.length + 1))));

/** Any valid notebook: producers, then serve cells and views over them, with prose anywhere. */
export const notebooks: fc.Arbitrary<Notebook> = fc
  .record({
    title: fc.string({ unit: 'grapheme', maxLength: 40 }),
    texts: fc.array(params.text, { maxLength: 4 }),
    attention: fc.array(params.attention, { maxLength: 2 }),
    recurrent: fc.array(params.recurrent, { maxLength: 1 }),
    decode: fc.array(params.decode, { maxLength: 2 }),
    compose: fc.array(params.compose, { maxLength: 2 }),
    model: fc.array(params.model, { maxLength: 2 }),
    cache: fc.array(params.cache, { maxLength: 2 }),
    recallGap: fc.array(params['recall-gap'], { maxLength: 1 }),
    speculate: fc.array(params.speculate, { maxLength: 2 }),
    workload: fc.array(params.workload, { maxLength: 2 }),
    serve: fc.array(params.serve, { maxLength: 3 }),
    sweep: fc.array(params.sweep, { maxLength: 2 }),
    check: fc.array(params.check, { maxLength: 2 }),
    plan: fc.array(params.plan, { maxLength: 1 }),
    map: fc.array(params.map, { maxLength: 3 }),
    timeline: fc.array(params.timeline, { maxLength: 1 }),
    plot: fc.array(params.plot, { maxLength: 2 }),
    compare: fc.array(params.compare, { maxLength: 1 }),
    table: fc.array(params.table, { maxLength: 1 }),
    n: int(0, 99),
  })
  .map((parts) => {
    const cells: unknown[] = [];
    const add = (kind: string, list: readonly unknown[], inputs: readonly string[]) =>
      list.map((p, i) => {
        const id = `${kind}-${i}`;
        cells.push({ id, kind, inputs, params: p });
        return id;
      });
    const attention = add('attention', parts.attention, []);
    const recurrent = add('recurrent', parts.recurrent, []);
    const decode = add('decode', parts.decode, []);
    const compose = add('compose', parts.compose, []);
    const model = add('model', parts.model, []);
    const cache = add('cache', parts.cache, model.slice(0, 1));
    add('recall-gap', parts.recallGap, []);
    add('speculate', parts.speculate, model.slice(0, 1));
    const workload = add('workload', parts.workload, []);
    const serve = workload[0] === undefined ? [] : add('serve', parts.serve, [workload[0]]);
    const sweep = serve[0] === undefined ? [] : add('sweep', parts.sweep, [serve[0]]);
    add('check', parts.check, []);
    if (serve[0] !== undefined) add('plan', parts.plan, [serve[0]]);
    const kernels = [...attention, ...compose, ...recurrent, ...decode];
    // No difference is shown of caches: each is mapped alone.
    const mapped = [
      ...kernels.map((_, i) => kernels.slice(i, i + 1 + (parts.n % 2))),
      ...cache.map((id) => [id]),
    ];
    parts.map.forEach((each, i) => {
      const inputs = mapped[(parts.n + i) % Math.max(1, mapped.length)];
      if (inputs === undefined) return;
      // Every storage of a decode cell is there; other inputs have none.
      const storage = inputs.some((id) => id.startsWith('decode')) ? { storage: parts.n % 2 } : {};
      cells.push({ id: `map-${i}`, kind: 'map', inputs, params: { ...each, ...storage } });
    });
    if (serve.length > 0) add('timeline', parts.timeline, pick(serve, parts.n));
    if (serve.length > 1) add('compare', parts.compare, serve.slice(0, 2));
    const shown = [...serve, ...kernels];
    const drawn = [...shown, ...sweep];
    if (drawn.length > 0) add('plot', parts.plot, pick(drawn, parts.n));
    if (shown.length > 0) add('table', parts.table, pick(shown, parts.n));
    parts.texts.forEach((p, i) => {
      cells.splice((parts.n * (i + 1)) % (cells.length + 1), 0, {
        id: `text-${i}`,
        kind: 'text',
        params: p,
      });
    });
    return notebookSchema.parse({ title: parts.title, cells });
  });
