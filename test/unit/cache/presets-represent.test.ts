import { describe, expect, it } from 'vitest';
import { fullSession } from '../../../lib/cache/full-session';
import { POLICIES } from '../../../lib/cache/policies';
import { REPRESENT_PRESETS } from '../../../lib/cache/policy/presets-represent';
import type { CacheSession } from '../../../lib/cache/types';
import type { CacheBudget } from '../../../lib/spec/cache-policy';
import { randomModel, randomTokens } from './random-model';
import { TINY, tinyModel } from './tiny-model';

const model = tinyModel(5);
const context = randomTokens(6, 100, TINY);
const question = randomTokens(7, 4, TINY);
const none: ReadonlySet<number> = new Set();
const ids = new Set(REPRESENT_PRESETS.map(({ id }) => id));
const entries = [...POLICIES.values()].filter(({ id }) => ids.has(id));

const ratio = (share: number): CacheBudget => ({ type: 'ratio', share });

function opened(id: string, budget: CacheBudget, tokens = context): CacheSession {
  const session = POLICIES.get(id)!.open(model, budget);
  session.prefill(tokens);
  return session;
}

function bytesOf(session: CacheSession): number {
  return session
    .ledger()
    .layers.reduce(
      (sum, { bytes }) => sum + Object.values(bytes).reduce((all, one) => all + one, 0),
      0,
    );
}

it('has every preset in the table of policies', () => {
  expect(entries.map(({ id }) => id)).toEqual(REPRESENT_PRESETS.map(({ id }) => id));
});

describe.each(entries.map((entry) => [entry.id, entry] as const))('%s', (id, entry) => {
  it.each([
    { type: 'tokens', tokens: 1 },
    { type: 'tokens', tokens: 9 },
    ratio(0.25),
    ratio(1),
    { type: 'bytes', bytes: 40_000 },
  ] satisfies CacheBudget[])('runs at $type $tokens$share$bytes, and comes back', (budget) => {
    for (const options of [{}, { question }]) {
      const session = entry.open(model, budget);
      session.prefill(context, options);
      const held = bytesOf(session);
      const first = session.ask(question, 5, none);
      expect(first).toHaveLength(5);
      session.rewind();
      expect(bytesOf(session)).toBe(held);
      expect(session.ask(question, 5, none)).toEqual(first);
    }
  });

  it('runs on one token, and on heads that its groups do not divide', () => {
    opened(id, ratio(0.5), context.slice(0, 1));
    const small = entry.open(randomModel(1), ratio(0.5));
    small.prefill(randomTokens(1, 70));
    expect(small.ask([1, 2], 2, none)).toHaveLength(2);
  });

  it('shows the form of every slot, and bytes that are those of its buffers', () => {
    const session = opened(id, ratio(0.5));
    const views = session.slots(0, 0);
    expect(views.length).toBe(session.ledger().slots[0]![0]);
    expect(views.every(({ bytes }) => bytes >= 0 && Number.isFinite(bytes))).toBe(true);
  });
});

it('answers as the full cache where the budget pays for every slot as it is', () => {
  const dense = fullSession.open(model);
  dense.prefill(context);
  const expected = dense.ask(question, 6, none);
  for (const id of ['mikv', 'kvmerger', 'look-m', 'elastic-cache']) {
    const session = POLICIES.get(id)!.open(model, ratio(1), { storage: 'f32' });
    session.prefill(context);
    expect(session.ask(question, 6, none), id).toEqual(expected);
  }
});

it('keeps as many slots as the budget says where it merges, and none is lost where it does not', () => {
  const held = (id: string) => opened(id, ratio(0.25)).ledger().slots.flat();
  for (const id of ['kvmerger', 'look-m', 'elastic-cache']) {
    for (const count of held(id)) expect(count).toBe(25);
  }
  for (const id of ['mikv', 'zipcache', 'zipvl', 'xkv', 'int4']) {
    for (const count of held(id)) expect(count).toBe(100);
  }
});

it('takes more bytes at a larger budget where it has one', () => {
  for (const { id, budgetOf } of entries) {
    const [small, large] = [0.25, 0.75].map((share) => bytesOf(opened(id, ratio(share))));
    if (budgetOf === 'none') expect(small, id).toBe(large);
    else expect(small!, id).toBeLessThan(large!);
  }
});

it('costs more than the full cache where cross-layer bases are carried for a short context', () => {
  const short = context.slice(0, 24);
  expect(bytesOf(opened('xkv', ratio(0.5), short))).toBeGreaterThan(
    bytesOf(opened('full', ratio(1), short)),
  );
});
