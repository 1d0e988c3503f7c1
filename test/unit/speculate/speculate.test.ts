import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fullSession } from '../../../lib/cache/full-session';
import { createRandom } from '../../../lib/random/random';
import { jacobi } from '../../../lib/speculate/jacobi';
import { lookUp, ngramLookup } from '../../../lib/speculate/ngram-lookup';
import { policyDrafter } from '../../../lib/speculate/policy-drafter';
import { retrieve, retrievedDrafter } from '../../../lib/speculate/retrieved-drafter';
import { speculate } from '../../../lib/speculate/speculate';
import { speculative } from '../../../lib/speculate/speculative-session';
import type { Drafter } from '../../../lib/speculate/types';
import { createFullCache } from '../../../lib/transformer/full-cache';
import { decodeGreedy, prefill } from '../../../lib/transformer/generate';
import type { Transformer } from '../../../lib/transformer/types';
import { tinyModel, tinyText } from './tiny-model';

function chanceDrafter(seed: number): Drafter {
  const random = createRandom(seed);
  return {
    label: 'chance',
    begin() {},
    propose: (_, count) => ({
      tokens: Array.from({ length: random.integer(0, count) }, () => random.integer(3, 11)),
      modelCalls: 0,
    }),
  };
}

/** Drafts what is handed to it: full acceptance where it is the greedy text. */
function knowingDrafter(answer: readonly number[]): Drafter {
  return {
    label: 'knowing',
    begin() {},
    propose: (generated, count) => ({
      tokens: answer.slice(generated.length, generated.length + count),
      modelCalls: 0,
    }),
  };
}

const drafters: Record<string, (model: Transformer, seed: number) => Drafter> = {
  chance: (_, seed) => chanceDrafter(seed),
  'n-gram': () => ngramLookup(),
  jacobi: () => jacobi({ poolSize: 0 }),
  'recycled jacobi': () => jacobi(),
  'full cache': (model) => policyDrafter(model, fullSession),
  retrieved: (model) => retrievedDrafter(model, { chunkTokens: 5, chunks: 2 }),
};

describe('draft and verify', () => {
  it.each(Object.keys(drafters))('writes the greedy text with the drafter %s', (name) => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 1e6 }),
        fc.integer({ min: 1, max: 30 }),
        fc.integer({ min: 0, max: 7 }),
        fc.integer({ min: 1, max: 12 }),
        fc.integer({ min: 2, max: 11 }),
        (seed, length, draftTokens, count, stopToken) => {
          const model = tinyModel(seed, { layers: 2 });
          const text = tinyText(seed, length);
          const stop = new Set([stopToken]);
          const plain = createFullCache(model.config);
          const logits = prefill(model, plain, text, 0);
          const expected = decodeGreedy(model, plain, logits, length, count, stop);
          const cache = createFullCache(model.config);
          prefill(model, cache, text, 0);
          const drafter = drafters[name]!(model, seed);
          drafter.begin({ context: text, question: [] });
          const done = speculate(model, cache, logits, length, count, stop, {
            drafter,
            draftTokens,
          });
          expect(done.tokens).toEqual(expected);
          expect(cache.tokens).toBe(plain.tokens);
          const last = cache.parts(1, 1)[0]!;
          const wanted = plain.parts(1, 1)[0]!;
          expect([...last.keys.subarray(0, last.count * 4)]).toEqual([
            ...wanted.keys.subarray(0, last.count * 4),
          ]);
          for (const round of done.rounds) {
            expect(round.accepted).toBeLessThanOrEqual(round.drafted);
            expect(round.emitted).toBeLessThanOrEqual(round.accepted + 1);
          }
        },
      ),
      { numRuns: 40 },
    );
  });

  it('takes a whole draft and one token more per step when every guess is right', () => {
    const model = tinyModel(5);
    const text = tinyText(5, 12);
    const plain = createFullCache(model.config);
    const logits = prefill(model, plain, text, 0);
    const answer = decodeGreedy(model, plain, logits, 12, 16, new Set());
    const cache = createFullCache(model.config);
    prefill(model, cache, text, 0);
    const { rounds } = speculate(model, cache, logits, 12, 16, new Set(), {
      drafter: knowingDrafter(answer),
      draftTokens: 4,
    });
    expect(
      rounds.map(({ at, drafted, accepted, emitted }) => [at, drafted, accepted, emitted]),
    ).toEqual([
      [1, 4, 4, 5],
      [6, 4, 4, 5],
      [11, 4, 4, 5],
    ]);
  });

  it('accepts every token of the same cache as drafter', () => {
    const model = tinyModel(9);
    const session = speculative(
      { label: 'self', open: (opened) => policyDrafter(opened, fullSession) },
      3,
    ).open(model);
    session.prefill(tinyText(9, 20));
    session.ask([4, 5], 9, new Set());
    expect(session.rounds.every(({ drafted, accepted }) => drafted === accepted)).toBe(true);
    expect(session.rounds.map(({ drafterCalls }) => drafterCalls)).toEqual([3, 3]);
  });

  it('rejects a draft length that is not a whole number', () => {
    const model = tinyModel(1);
    expect(() =>
      speculate(model, createFullCache(model.config), new Float32Array(12), 0, 2, new Set(), {
        drafter: ngramLookup(),
        draftTokens: -1,
      }),
    ).toThrow('invalid draftTokens: -1');
  });
});

describe('a session that speculates', () => {
  it('answers as the full cache under every protocol', () => {
    const model = tinyModel(3);
    const context = tinyText(3, 24);
    const questions = [
      [5, 6],
      [7, 8, 9],
    ];
    const make = speculative({ label: 'lookup', open: () => ngramLookup() }, 4);
    for (const known of [false, true]) {
      for (const rewound of [false, true]) {
        const plain = fullSession.open(model);
        const guess = make.open(model);
        const options = known ? { question: questions[0]! } : {};
        plain.prefill(context, options);
        guess.prefill(context, options);
        for (const question of questions) {
          expect(guess.ask(question, 6, new Set([4]))).toEqual(
            plain.ask(question, 6, new Set([4])),
          );
          expect(guess.ledger().slots).toEqual(plain.ledger().slots);
          if (rewound) {
            guess.rewind();
            plain.rewind();
          }
        }
      }
    }
  });
});

describe('drafters on small cases', () => {
  it('looks up the longest run first, at its latest place', () => {
    // "1 2 3" stands at 0 (followed by 9) and at 4 (followed by 8); "3" alone also at 8.
    expect(lookUp([1, 2, 3, 9, 1, 2, 3, 8, 3, 7, 1, 2, 3], 3, 2)).toEqual([8, 3]);
    expect(lookUp([1, 2, 3, 9, 1, 2, 3, 8, 3, 7, 1, 2, 3], 1, 2)).toEqual([7, 1]);
    expect(lookUp([1, 2, 3, 4], 3, 2)).toEqual([]);
    expect(lookUp([5, 6, 5, 6], 2, 5)).toEqual([5, 6, 5, 6, 5]);
  });

  it('keeps what Jacobi picked behind the mismatch, and recycles n-grams that it threw away', () => {
    const plain = jacobi({ poolSize: 0 });
    plain.begin({ context: [], question: [] });
    expect(plain.propose([3], 4).tokens).toEqual([3, 3, 3, 3]);
    plain.learn?.([7, 8, 9, 10, 11], 0);
    expect(plain.propose([3, 7], 4).tokens).toEqual([8, 9, 10, 11]);
    const pooled = jacobi({ poolSize: 2, ngram: 3 });
    pooled.begin({ context: [], question: [] });
    pooled.learn?.([7, 8, 9, 10, 11], 0);
    pooled.learn?.([4, 5, 6, 3, 3], 2);
    // After another 8 the pool knows "8 9 10"; the rest of the block fills the draft.
    expect(pooled.propose([8], 4).tokens).toEqual([9, 10, 8, 8]);
  });

  it('retrieves the pieces that hold the rare tokens of the question', () => {
    const context = [1, 3, 4, 3, 5, 3, 6, 3, 7];
    expect(retrieve(context, [3, 6], { chunkTokens: 2, chunks: 1 })).toEqual([1, 3, 6]);
    expect(retrieve(context, [5, 7], { chunkTokens: 2, chunks: 2 })).toEqual([1, 3, 5, 3, 7]);
  });
});
