import { describe, expect, it } from 'vitest';
import { POLICIES } from '../../../lib/cache/policies';
import { openPolicySession } from '../../../lib/cache/policy/run';
import { cachePolicy } from '../../../lib/spec/cache-policy';
import { randomModel, randomTokens, SMALL } from './random-model';

const model = randomModel(61);
const question = randomTokens(62, 3);
const none: ReadonlySet<number> = new Set();

describe('prompts shorter than every window', () => {
  it.each([1, 2, 5, 16, 17])('%i tokens, all policies, question known or hidden', (tokens) => {
    const context = randomTokens(63, tokens);
    for (const entry of POLICIES.values()) {
      for (const options of [{}, { question }]) {
        const session = entry.open(model, { type: 'ratio', share: 0.5 });
        session.prefill(context, options);
        expect(session.ask(question, 3, none)).toHaveLength(3);
        expect(session.ledger().tokensSeen).toBe(tokens + 5);
      }
    }
  });
});

describe('positions that start again with every chunk', () => {
  it('are those of the chunk, and the question goes on after the last', () => {
    const policy = cachePolicy.parse({
      budget: { type: 'ratio', share: 1 },
      position: { type: 'restart' },
    });
    const session = openPolicySession(policy, model);
    session.prefill(randomTokens(64, 12), { chunkStarts: [0, 5, 8] });
    expect(session.cache().queryIndex(0, 0, 6)).toBe(1);
    expect(session.cache().queryIndex(0, 0, 12)).toBe(4);
    expect(session.ask(question, 2, none)).toHaveLength(2);
  });
});

describe('several questions', () => {
  it('find the context alone after a rewind, and what was said before without one', () => {
    const open = () => {
      const session = POLICIES.get('snapkv')!.open(model, { type: 'tokens', tokens: 20 });
      session.prefill(randomTokens(65, 40));
      return session;
    };
    const other = randomTokens(66, 4);
    const first = open();
    const second = open();
    first.ask(other, 3, none);
    first.rewind();
    expect(first.ask(question, 6, none)).toEqual(second.ask(question, 6, none));
    const later = open();
    later.ask(other, 3, none);
    later.ask(question, 6, none);
    // 4 and 3 asked, 2 and 5 answered: the last token of an answer is not run.
    expect(later.ledger().tokensSeen).toBe(40 + 4 + 2 + 3 + 5);
    expect(later.ledger().slots.flat()).toEqual(
      Array.from({ length: SMALL.layers * SMALL.kvHeads }, () => 20 + 14),
    );
  });
});
