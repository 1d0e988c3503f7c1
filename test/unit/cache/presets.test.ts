import { describe, expect, it } from 'vitest';
import { fullSession } from '../../../lib/cache/full-session';
import { POLICIES } from '../../../lib/cache/policies';
import type { CacheSession } from '../../../lib/cache/types';
import type { CacheBudget } from '../../../lib/spec/cache-policy';
import { randomModel, randomTokens, SMALL } from './random-model';

const model = randomModel(5);
const context = randomTokens(6, 48);
const question = randomTokens(7, 4);
/** Those whose budget is of slots, and that keep what they keep as it is. */
const entries = [...POLICIES.values()].filter(({ budgetOf }) => budgetOf === undefined);
const none: ReadonlySet<number> = new Set();

function heldBytes(session: CacheSession): number {
  return session
    .ledger()
    .layers.reduce(
      (sum, { bytes }) => sum + Object.values(bytes).reduce((all, one) => all + one, 0),
      0,
    );
}

describe.each(entries.map((entry) => [entry.id, entry] as const))('%s', (_, entry) => {
  it('answers as the full cache at the full budget, question known or hidden', () => {
    for (const options of [{}, { question }]) {
      const dense = fullSession.open(model);
      dense.prefill(context, {});
      const session = entry.open(model, { type: 'ratio', share: 1 }, { storage: 'f32' });
      session.prefill(context, options);
      expect(session.ask(question, 8, none)).toEqual(dense.ask(question, 8, none));
    }
  });

  it.each([1, 2, 3, 5, 9, 20, 47, 48, 200])('runs at %i slots a head, and comes back', (tokens) => {
    const budget: CacheBudget = { type: 'tokens', tokens };
    for (const options of [{}, { question }]) {
      const session = entry.open(model, budget);
      session.prefill(context, options);
      const { slots } = session.ledger();
      const held = slots.flat().reduce((sum, count) => sum + count, 0);
      const heads = SMALL.layers * SMALL.kvHeads;
      if (entry.id !== 'full' && !entry.oracle) {
        // A compensation token needs a slot in every head that drops any.
        expect(held).toBeLessThanOrEqual(heads * Math.min(tokens, context.length));
        expect(held).toBeGreaterThanOrEqual(heads * Math.min(tokens, context.length) * 0.9 - heads);
        for (const count of slots.flat()) expect(count).toBeGreaterThanOrEqual(1);
      }
      const bytes = heldBytes(session);
      const first = session.ask(question, 6, none);
      expect(first).toHaveLength(6);
      session.rewind();
      expect(heldBytes(session)).toBe(bytes);
      expect(session.ask(question, 6, none)).toEqual(first);
    }
  });
});

it('gives bytes that pay for the slots that are held', () => {
  const each = 2 * SMALL.headSize * 2 + 4;
  const bytes = 12 * SMALL.layers * SMALL.kvHeads * each + 5;
  for (const id of ['random', 'snapkv', 'keydiff', 'cake', 'adakv', 'pyramidkv', 'streaming-llm']) {
    const session = POLICIES.get(id)!.open(model, { type: 'bytes', bytes });
    session.prefill(context);
    expect(heldBytes(session)).toBe(bytes - 5);
  }
  expect(() => {
    POLICIES.get('random')!.open(model, { type: 'bytes', bytes: 10 }).prefill(context);
  }).toThrow('invalid bytes: 10 (expected at least');
});
