import fc from 'fast-check';
import { int, text } from './arbitrary-basics';

/** Params of the cells that run a model. */
export const modelParams = {
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
};
