import fc from 'fast-check';
import { expect, it } from 'vitest';
import { createWasmTransformer } from '../../../lib/wasm/transformer';
import type { TransformerCase } from '../../transformer/cases';
import { compareEngines } from '../../transformer/compare-engines';
import { configOf } from '../../transformer/random-model';

const config = fc
  .record({
    hiddenSize: fc.integer({ min: 1, max: 40 }),
    intermediateSize: fc.integer({ min: 1, max: 50 }),
    vocabularySize: fc.integer({ min: 1, max: 40 }),
    kvHeads: fc.integer({ min: 1, max: 4 }),
    group: fc.integer({ min: 1, max: 8 }),
    halfHead: fc.integer({ min: 1, max: 24 }),
    tiedHead: fc.boolean(),
    qkvBias: fc.boolean(),
    qkNorm: fc.boolean(),
  })
  .map(({ group, halfHead, ...rest }) =>
    configOf({ ...rest, layers: 2, heads: rest.kvHeads * group, headSize: 2 * halfHead }),
  );

const cache = fc.record({
  ragged: fc.boolean(),
  shuffled: fc.boolean(),
  multiplicity: fc.boolean(),
  parts: fc.constantFrom(1, 1, 2, 3),
  perQuery: fc.boolean(),
  indexShift: fc.constantFrom(0, 0, 7, -2.25),
  observes: fc.boolean(),
});

const anyCase: fc.Arbitrary<TransformerCase> = fc.record({
  name: fc.constant('drawn'),
  config,
  cache,
  chunks: fc.array(fc.integer({ min: 1, max: 24 }), { minLength: 1, maxLength: 3 }),
  step: fc.record({ logits: fc.constantFrom('last' as const, 'all' as const) }),
});

it('computes what the reference does for any shape and cache', async () => {
  await fc.assert(
    fc.asyncProperty(anyCase, async (one) => {
      const difference = await compareEngines(
        one,
        (model) => createWasmTransformer(model.config, model.weights).forward,
      );
      expect(difference.logits).toBeLessThan(1e-3);
      expect(difference.hidden).toBeLessThan(1e-3);
      expect(difference.weights).toBeLessThan(1e-4);
      expect(difference.queries).toBeLessThan(1e-3);
    }),
    { numRuns: 80, seed: 1 },
  );
});
