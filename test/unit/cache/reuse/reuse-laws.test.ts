import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { apeSession, parallelIndex } from '../../../../lib/cache/reuse/ape';
import { cacheBlendSession } from '../../../../lib/cache/reuse/cache-blend';
import { cacheCraftSession } from '../../../../lib/cache/reuse/cache-craft';
import { planChunks } from '../../../../lib/cache/reuse/chunks';
import { concatenatedSession, recomputedSession } from '../../../../lib/cache/reuse/concatenated';
import { kvCommSession } from '../../../../lib/cache/reuse/kv-comm';
import { editedSession } from '../../../../lib/cache/reuse/pie';
import type { SessionFactory } from '../../../../lib/cache/types';
import { largestDifference, tinyModel, tinyText } from '../../speculate/tiny-model';
import { fullHalfSession } from '../full-half-session';
import { logitsAfter } from '../logits';

const QUESTION = [5, 6, 7];
const CHUNKS = [1, 9, 15, 22];

function gap(factory: SessionFactory, seed: number, chunkStarts?: readonly number[]): number {
  const model = tinyModel(seed);
  const context = tinyText(seed, 30);
  const options = chunkStarts ? { chunkStarts } : {};
  const expected = logitsAfter(model, fullHalfSession, context, QUESTION).logits;
  return largestDifference(
    logitsAfter(model, factory, context, QUESTION, options).logits,
    expected,
  );
}

const seeds = fc.integer({ min: 0, max: 1e6 });

describe('chunk reuse where it must be exact', () => {
  it.each([
    ['full recompute', recomputedSession, CHUNKS],
    ['CacheBlend of everything', cacheBlendSession({ ratio: 1 }), CHUNKS],
    [
      'CacheBlend of everything from layer 0',
      cacheBlendSession({ ratio: 1, checkLayer: 0 }),
      CHUNKS,
    ],
    ['Cache-Craft in the same order', cacheCraftSession({ donorOrder: 'same' }), CHUNKS],
    ['KVComm that trusts no anchor', kvCommSession({ entropyThreshold: 0 }), CHUNKS],
    ['an edit recomputed', editedSession({ rule: 'recompute' }), CHUNKS],
    ['one chunk concatenated', concatenatedSession, undefined],
    ['one chunk under APE at T = S = 1', apeSession({ temperature: 1, scale: 1 }), undefined],
    ['one chunk under KVComm', kvCommSession(), undefined],
  ] as const)('%s', (_, factory, chunkStarts) => {
    fc.assert(
      fc.property(seeds, (seed) => {
        expect(gap(factory, seed, chunkStarts)).toBeLessThan(2e-5);
      }),
      { numRuns: 12 },
    );
  });

  it.each([
    ['concatenation', concatenatedSession],
    ['APE', apeSession({ temperature: 1, scale: 1 })],
    ['CacheBlend of a part', cacheBlendSession()],
    ['Cache-Craft that recomputes nothing', cacheCraftSession({ alpha: 0 })],
    ['PIE', editedSession()],
    ['an edit without rotation', editedSession({ rule: 'splice' })],
  ] as const)('and not where chunks have missed each other: %s', (_, factory) => {
    // Otherwise the laws above could hold because the chunks were never apart.
    for (const seed of [1, 2, 3]) expect(gap(factory, seed, CHUNKS)).toBeGreaterThan(1e-3);
  });

  it('APE at its defaults changes even a single chunk', () => {
    expect(gap(apeSession(), 4)).toBeGreaterThan(1e-3);
  });
});

describe('sessions of chunk reuse', () => {
  const factories = [
    recomputedSession,
    concatenatedSession,
    apeSession(),
    cacheBlendSession(),
    cacheCraftSession(),
    kvCommSession(),
    editedSession(),
    editedSession({ kind: 'delete', rule: 'splice' }),
    editedSession({ kind: 'replace' }),
  ];
  it.each(factories.map((factory) => [factory.label, factory] as const))(
    '%s comes back to the context when rewound, and answers a known question alike',
    (_, factory) => {
      const model = tinyModel(8);
      const context = tinyText(8, 30);
      const session = factory.open(model);
      session.prefill(context, { chunkStarts: CHUNKS });
      const before = session.ledger();
      expect(before.slots.flat().every((count) => count === 30)).toBe(true);
      const first = session.ask(QUESTION, 5, new Set());
      expect(first).toHaveLength(5);
      session.ask([8, 9], 4, new Set());
      session.rewind();
      expect(session.ledger()).toEqual(before);
      expect(session.ask(QUESTION, 5, new Set())).toEqual(first);
      const known = factory.open(model);
      known.prefill(context, { chunkStarts: CHUNKS, question: QUESTION });
      expect(known.ledger().tokensSeen).toBe(30);
      expect(known.ask(QUESTION, 5, new Set())).toEqual(first);
    },
  );

  it('counts what was computed a second time', () => {
    const model = tinyModel(2);
    const context = tinyText(2, 30);
    const count = (factory: SessionFactory) =>
      logitsAfter(model, factory, context, QUESTION, { chunkStarts: CHUNKS }).session.ledger()
        .recomputedTokenLayers;
    expect(count(recomputedSession)).toBe(30 * 3);
    expect(count(concatenatedSession)).toBe(0);
    expect(count(apeSession())).toBe(0);
    // Layer 0 for all 30 tokens, then floor(0.16 x 30) = 4 tokens in the two layers above.
    expect(count(cacheBlendSession())).toBe(30 + 4 * 2);
    expect(count(cacheBlendSession({ ratio: 0.5, checkLayer: 2 }))).toBe(60 + 15);
    expect(count(cacheCraftSession({ donorOrder: 'same' }))).toBe(0);
    expect(count(editedSession({ rule: 'pie' }))).toBe(0);
  });
});

describe('the plan of chunks', () => {
  it('takes what stands before the first chunk as the shared prefix', () => {
    const context = [1, 4, 4, 4, 4, 4];
    expect(planChunks(context, [2, 4], 1)).toEqual({
      prefixEnd: 2,
      chunks: [
        [2, 4],
        [4, 6],
      ],
    });
    expect(planChunks(context, [0, 4], 1)).toEqual({
      prefixEnd: 1,
      chunks: [
        [1, 4],
        [4, 6],
      ],
    });
    expect(planChunks(context, [0, 4], undefined)).toEqual({
      prefixEnd: 0,
      chunks: [
        [0, 4],
        [4, 6],
      ],
    });
    expect(planChunks(context, undefined, 1)).toEqual({ prefixEnd: 1, chunks: [[1, 6]] });
    expect(planChunks(context, [0, 1], 1)).toEqual({ prefixEnd: 1, chunks: [[1, 6]] });
  });

  it('refuses starts that do not ascend inside the context', () => {
    expect(() => planChunks([1, 2, 3], [1, 1], 1)).toThrow('invalid chunkStarts: 1 at 1');
    expect(() => planChunks([1, 2, 3], [3], 1)).toThrow('invalid chunkStarts: 3 at 0');
  });

  it('gives every chunk the places behind the prefix under APE, and the question the next', () => {
    // Prefix 2, chunks of 3 and 2 tokens: the question stands at 2 + 3.
    const indexOf = parallelIndex(
      2,
      [
        [2, 5],
        [5, 7],
      ],
      7,
    );
    expect([0, 1, 2, 3, 4, 5, 6, 7, 8].map(indexOf)).toEqual([0, 1, 2, 3, 4, 2, 3, 5, 6]);
  });
});
