import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fastKvSession } from '../../../../lib/cache/depth/fast-kv';
import { lazyLlmSession } from '../../../../lib/cache/depth/lazy-llm';
import { kvPredictionSession, swiftKvSession } from '../../../../lib/cache/depth/predicted-session';
import { tempCacheSession } from '../../../../lib/cache/depth/temp-cache';
import type { SessionFactory } from '../../../../lib/cache/types';
import type { Transformer } from '../../../../lib/transformer/types';
import { largestDifference, tinyModel, tinyText } from '../../speculate/tiny-model';
import { fullHalfSession } from '../full-half-session';
import { logitsAfter } from '../logits';

const QUESTION = [5, 6, 7];
const samples = () => [1, 2, 3, 4].map((seed) => tinyText(seed + 100, 40));

function gap(factory: SessionFactory, seed: number): number {
  const model = tinyModel(seed);
  const context = tinyText(seed, 30);
  return largestDifference(
    logitsAfter(model, factory, context, QUESTION).logits,
    logitsAfter(model, fullHalfSession, context, QUESTION).logits,
  );
}

describe('depth policies that leave nothing out are dense', () => {
  it.each([
    ['FastKV', fastKvSession({ retainShare: 1, propagateShare: 1 })],
    ['LazyLLM', lazyLlmSession({ dropShare: 0 })],
    ['SwiftKV with every layer run', swiftKvSession({ runLayers: 3, samples })],
    ['KV prediction with every layer run', kvPredictionSession({ runLayers: 3, samples })],
    ['TempCache of equal keys', tempCacheSession({ threshold: 1 })],
  ] as const)('%s', (_, factory) => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 1e6 }), (seed) => {
        expect(gap(factory, seed)).toBeLessThan(2e-5);
      }),
      { numRuns: 10 },
    );
  });

  it.each([
    ['FastKV', fastKvSession()],
    ['LazyLLM', lazyLlmSession()],
    ['SwiftKV', swiftKvSession({ runLayers: 1, samples })],
    ['KV prediction', kvPredictionSession({ runLayers: 1, samples })],
    ['TempCache', tempCacheSession({ threshold: 0.5 })],
  ] as const)('and otherwise not: %s', (_, factory) => {
    expect(Math.max(...[1, 2].map((seed) => gap(factory, seed)))).toBeGreaterThan(1e-3);
  });
});

const factories = [
  fastKvSession(),
  fastKvSession({ pruneLayer: 0, retainShare: 0.5, propagateShare: 0.5 }),
  lazyLlmSession(),
  lazyLlmSession({ dropShare: 0.8 }),
  lazyLlmSession({ revive: false }),
  swiftKvSession({ samples }),
  kvPredictionSession({ samples }),
  tempCacheSession(),
];

describe('sessions of depth policies', () => {
  it.each(factories.map((factory) => [factory.label, factory] as const))(
    '%s comes back when rewound and answers every protocol',
    (_, factory) => {
      const model = tinyModel(8);
      const context = tinyText(8, 30);
      const session = factory.open(model);
      session.prefill(context);
      const before = session.ledger();
      const slots = session.slots(2, 1);
      const first = session.ask(QUESTION, 5, new Set());
      expect(first).toHaveLength(5);
      session.ask([8, 9], 4, new Set());
      session.rewind();
      expect(session.ledger()).toEqual(before);
      expect(session.slots(2, 1)).toEqual(slots);
      expect(session.ask(QUESTION, 5, new Set())).toEqual(first);
      const known = factory.open(model);
      known.prefill(context, { question: QUESTION });
      expect(known.ask(QUESTION, 5, new Set())).toHaveLength(5);
      known.rewind();
      expect(known.ask(QUESTION, 5, new Set())).toHaveLength(5);
      const single = factory.open(model);
      single.prefill([1]);
      expect(single.ask([4], 2, new Set())).toHaveLength(2);
    },
  );
});

/** Counts rows times layers that a model runs. */
function counting(model: Transformer): { model: Transformer; tokenLayers(): number } {
  let tokenLayers = 0;
  return {
    model: {
      ...model,
      forward(step) {
        return model.forward({
          ...step,
          hooks: {
            ...step.hooks,
            onProjected(layer, rows) {
              tokenLayers += rows.rows;
              step.hooks?.onProjected?.(layer, rows);
            },
          },
        });
      },
    },
    tokenLayers: () => tokenLayers,
  };
}

describe('what is computed and kept', () => {
  it('FastKV runs all tokens up to the pruning layer and keeps one number of rows everywhere', () => {
    const { model, tokenLayers } = counting(tinyModel(4));
    const session = fastKvSession({ pruneLayer: 1, windowTokens: 2 }).open(model);
    session.prefill(tinyText(4, 40));
    // 40 tokens in layers 0 and 1, a fifth of them in layer 2; a tenth is kept in each.
    expect(tokenLayers()).toBe(40 * 2 + 8);
    expect(session.ledger().slots).toEqual([
      [4, 4],
      [4, 4],
      [4, 4],
    ]);
    // The last two tokens are the window, at their own places.
    expect(
      session
        .slots(2, 0)
        .map(({ position }) => position)
        .slice(-2),
    ).toEqual([38, 39]);
    expect(session.dropped(2, 0)).toHaveLength(36);
    expect(() => fastKvSession({ retainShare: 0.3 })).toThrow('invalid propagateShare: 0.2');
  });

  it('FastKV sees a known question in its window', () => {
    const model = tinyModel(6);
    const kept = [0, 1].map((which) => {
      const session = fastKvSession().open(model);
      const question = which === 0 ? [4, 5, 6, 7, 8] : [11, 10, 9, 8, 7];
      session.prefill(tinyText(6, 40), { question });
      return session.slots(0, 0).map(({ position }) => position);
    });
    expect(kept[0]).not.toEqual(kept[1]);
  });

  it('LazyLLM runs a token through a layer once at most, and revives', () => {
    const { model, tokenLayers } = counting(tinyModel(4));
    const session = lazyLlmSession({ dropShare: 0.5 }).open(model);
    session.prefill(tinyText(4, 32));
    expect(tokenLayers()).toBe(32 + 16 + 8);
    const before = session.ledger().slots[2]![0]!;
    for (const question of [
      [4, 5],
      [9, 9],
      [7, 3],
    ])
      session.ask(question, 3, new Set());
    const held = session.ledger().slots.reduce((sum, [first]) => sum + first!, 0);
    expect(tokenLayers()).toBe(held);
    const revived = session.slots(2, 0).filter(({ position }) => position < 32).length;
    expect(revived).toBeGreaterThan(before);
  });

  it('SwiftKV runs the context through the lower layers only', () => {
    const { model, tokenLayers } = counting(tinyModel(4));
    const factory = swiftKvSession({ runLayers: 1, samples: () => [tinyText(1, 30)] });
    const session = factory.open(model);
    expect(tokenLayers()).toBe(30 * 3);
    session.prefill(tinyText(4, 20));
    expect(tokenLayers()).toBe(30 * 3 + 20);
    expect(session.ledger().slots).toEqual([
      [20, 20],
      [20, 20],
      [20, 20],
    ]);
    factory.open(model);
    // The fit is kept with the model.
    expect(tokenLayers()).toBe(30 * 3 + 20);
  });
});
