import fc from 'fast-check';
import { int } from './arbitrary-basics';
import { composedParts } from './arbitrary-selection';
import { choices, orderedParts } from './arbitrary-selection-around';

/** Params of the cells that run kernels. */
export const kernelParams = {
  attention: fc.oneof(
    fc.record(
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
    fc.record({ select: composedParts }),
    fc.record({ select: orderedParts }),
    fc.record({ select: choices }),
    fc.record({ variant: fc.constant({ type: 'dense' }), select: composedParts }),
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
          { type: 'merge', overlaps: 'first' },
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
};
