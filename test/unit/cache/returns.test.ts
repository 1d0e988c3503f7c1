import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { openPolicySession } from '../../../lib/cache/policy/run';
import type { CacheSession, SessionFactory } from '../../../lib/cache/types';
import { type CachePolicyInput, cachePolicy } from '../../../lib/spec/cache-policy';
import { logitsAfter } from './logits';
import { randomModel, randomTokens, SMALL } from './random-model';

const { layers, kvHeads, headSize } = SMALL;
const model = randomModel(41);
const context = randomTokens(42, 48);
const question = randomTokens(43, 3);
const none: ReadonlySet<number> = new Set();
const ROW_BYTES = 2 * 2 * headSize;

type Parts = Omit<CachePolicyInput, 'budget'> & { readonly share?: number };

function sessions({ share = 0.25, ...parts }: Parts): SessionFactory {
  const policy = cachePolicy.parse({ budget: { type: 'ratio', share }, ...parts });
  return { label: policy.action.type, open: (of) => openPolicySession(policy, of) };
}

const full = sessions({ share: 1, action: { type: 'none' } });
const fullLogits = logitsAfter(model, full, context, question).logits;

function largestError(a: Float32Array, b: Float32Array): number {
  expect(a.length).toBe(b.length);
  return a.reduce((most, value, i) => Math.max(most, Math.abs(value - b[i]!)), 0);
}

function bytes(session: CacheSession, tier: 'device' | 'host', role?: string): number {
  let sum = 0;
  for (const own of session.ledger().layers) {
    if (own.tier !== tier) continue;
    for (const [name, count] of Object.entries(own.bytes)) {
      if (role === undefined || role === name) sum += count;
    }
  }
  return sum;
}

const SCORERS: readonly NonNullable<CachePolicyInput['scorer']>[] = [
  { type: 'random' },
  { type: 'key-norm' },
  { type: 'attention', queries: 'window', windowTokens: 4 },
  { type: 'attention', queries: 'all' },
];

describe('offload', () => {
  it('answers as if the slots had stayed where all are fetched', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...SCORERS),
        fc.constantFrom(0.05, 0.25, 0.6),
        fc.integer({ min: 1, max: 60 }),
        (scorer, share, pageTokens) => {
          for (const fetch of [{ type: 'all' }, { type: 'pages', share: 1 }] as const) {
            const offloaded = sessions({
              share,
              scorer,
              action: { type: 'offload', pageTokens, fetch },
            });
            const { logits } = logitsAfter(model, offloaded, context, question);
            expect(largestError(logits, fullLogits)).toBeLessThan(1e-4);
          }
        },
      ),
      { numRuns: 20 },
    );
  });

  it('holds on each tier what lies there, to the byte', () => {
    const session = sessions({ action: { type: 'offload', pageTokens: 8 } }).open(model);
    session.prefill(context);
    const heads = layers * kvHeads;
    expect(bytes(session, 'device', 'payload')).toBe(heads * 12 * ROW_BYTES);
    expect(bytes(session, 'host', 'payload')).toBe(heads * 36 * ROW_BYTES);
    // 36 slots are 5 pages, each with the smallest and the largest key in f32.
    expect(bytes(session, 'device', 'summaries')).toBe(heads * 5 * 2 * 4 * headSize);
    expect(bytes(session, 'host', 'summaries')).toBe(0);
    const states = session.slots(0, 0).map(({ state }) => state);
    expect(states.filter((state) => state === 'offloaded').length).toBe(36);
    expect(session.ledger().movedBytes).toBe(0);
  });

  it('moves every slot in every pass where all are fetched, and keeps none', () => {
    const session = sessions({ action: { type: 'offload', fetch: { type: 'all' } } }).open(model);
    session.prefill(context);
    expect(bytes(session, 'device', 'summaries')).toBe(0);
    session.ask(question, 4, none);
    // The question is one pass, and every token but the last is another.
    expect(session.ledger().movedBytes).toBe(4 * layers * kvHeads * 36 * ROW_BYTES);
    expect(bytes(session, 'device', 'payload')).toBeLessThan(bytes(session, 'host', 'payload'));
  });

  it('moves the pages that a query takes and the query before did not', () => {
    const session = sessions({
      action: { type: 'offload', pageTokens: 12, fetch: { type: 'pages', share: 0.34 } },
    }).open(model);
    session.prefill(context);
    const before = bytes(session, 'device', 'payload');
    session.ask(question.slice(0, 1), 1, none);
    // One of three pages in every head, and it stays on the device.
    const one = layers * kvHeads * 12 * ROW_BYTES;
    expect(session.ledger().movedBytes).toBe(one);
    const appended = layers * kvHeads * 16 * ROW_BYTES;
    expect(bytes(session, 'device', 'payload')).toBe(before + one + appended);
    const { movedBytes } = session.ledger();
    session.ask(question.slice(0, 1), 3, none);
    const moved = session.ledger().movedBytes - movedBytes;
    expect(moved).toBeLessThan(3 * one);
    session.rewind();
    expect(bytes(session, 'device', 'payload')).toBe(before);
    expect(session.ledger().movedBytes).toBe(movedBytes + moved);
  });

  it('gives a query what it needs in the page of its highest bound', () => {
    const shareOf = (share: number) =>
      largestError(
        logitsAfter(
          model,
          sessions({
            share: 0.05,
            action: { type: 'offload', pageTokens: 4, fetch: { type: 'pages', share } },
          }),
          context,
          question,
        ).logits,
        fullLogits,
      );
    const evicted = logitsAfter(model, sessions({ share: 0.05 }), context, question).logits;
    expect(shareOf(0.5)).toBeGreaterThan(1e-3);
    expect(shareOf(0.9)).toBeLessThan(shareOf(0.1));
    expect(shareOf(0.5)).toBeLessThan(largestError(evicted, fullLogits));
  });
});

describe('recompute', () => {
  it('answers as the full cache where all ids are kept, whatever was dropped', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...SCORERS),
        fc.constantFrom(0.03, 0.25, 0.6),
        fc.integer({ min: 0, max: layers - 1 }),
        (scorer, share, fromLayer) => {
          const dropped = sessions({ share, scorer, action: { type: 'recompute', fromLayer } });
          const { logits } = logitsAfter(model, dropped, context, question);
          expect(largestError(logits, fullLogits)).toBeLessThan(1e-4);
        },
      ),
      { numRuns: 20 },
    );
  });

  it('holds ids in place of slots, and counts what it runs again for every question', () => {
    const session = sessions({
      scorer: { type: 'position' },
      action: { type: 'recompute', fromLayer: 0 },
    }).open(model);
    session.prefill(context);
    const held = bytes(session, 'device');
    expect(bytes(session, 'device', 'payload')).toBe(layers * kvHeads * 12 * ROW_BYTES);
    expect(bytes(session, 'device', 'indices')).toBe(2 * 36);
    expect(bytes(session, 'device', 'positions')).toBe(4 * (36 + layers * kvHeads * 12));
    session.ask(question, 2, none);
    expect(session.ledger().recomputedTokenLayers).toBe(36 * layers);
    expect(session.dropped(0, 0)).toEqual(Array.from({ length: 36 }, (_, at) => at));
    session.rewind();
    expect(bytes(session, 'device')).toBe(held);
    session.ask(question, 2, none);
    expect(session.ledger().recomputedTokenLayers).toBe(2 * 36 * layers);
  });

  it('answers a later question on the same cache as the full cache does', () => {
    const ask = (factory: SessionFactory) => {
      const session = factory.open(model);
      session.prefill(context, { question });
      return [question, randomTokens(44, 4), question].map((each) => session.ask(each, 5, none));
    };
    const dropped = sessions({ scorer: { type: 'random' }, action: { type: 'recompute' } });
    expect(ask(dropped)).toEqual(ask(full));
  });

  it('keeps all slots of the layers before the first that drops', () => {
    const session = sessions({ action: { type: 'recompute', fromLayer: 2 } }).open(model);
    session.prefill(context);
    expect(session.ledger().slots.map(([first]) => first)).toEqual([48, 48, 12]);
  });

  it('is between the full cache and eviction where some ids are missing', () => {
    const errorAt = (share: number) =>
      largestError(
        logitsAfter(
          model,
          sessions({
            share: 0.1,
            scorer: { type: 'position' },
            action: { type: 'recompute', fromLayer: 0, share },
          }),
          context,
          question,
        ).logits,
        fullLogits,
      );
    const evicted = logitsAfter(
      model,
      sessions({ share: 0.1, scorer: { type: 'position' } }),
      context,
      question,
    ).logits;
    expect(errorAt(0)).toBeCloseTo(largestError(evicted, fullLogits), 4);
    expect(errorAt(0.5)).toBeGreaterThan(1e-3);
    expect(errorAt(1)).toBeLessThan(1e-4);
  });
});
