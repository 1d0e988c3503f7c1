import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { halvesToNumbers } from '../../../../lib/attention/quantise/half';
import { loopServeSession } from '../../../../lib/cache/retrieve/loop-serve';
import { lserveSession } from '../../../../lib/cache/retrieve/lserve';
import { questSession } from '../../../../lib/cache/retrieve/quest';
import { rekvSession } from '../../../../lib/cache/retrieve/rekv';
import { resvSession } from '../../../../lib/cache/retrieve/resv';
import { shadowKvSession } from '../../../../lib/cache/retrieve/shadow-kv';
import { createRowCache } from '../../../../lib/cache/rows/row-cache';
import type { SessionFactory } from '../../../../lib/cache/types';
import { largestDifference, tinyModel, tinyText } from '../../speculate/tiny-model';
import { fullHalfSession } from '../full-half-session';
import { logitsAfter } from '../logits';

const QUESTION = [5, 6, 7];
const LSERVE = { pageTokens: 8, logicalTokens: 4, sinkTokens: 2, recentTokens: 4 };

function gap(factory: SessionFactory, seed: number): number {
  const model = tinyModel(seed);
  const context = tinyText(seed, 37);
  return largestDifference(
    logitsAfter(model, factory, context, QUESTION).logits,
    logitsAfter(model, fullHalfSession, context, QUESTION).logits,
  );
}

describe('retrieval of everything is dense', () => {
  it.each([
    ['Quest', questSession({ share: 1, pageTokens: 5 })],
    ['LoopServe', loopServeSession({ share: 1 })],
    ['ShadowKV at full rank', shadowKvSession({ share: 1, rank: 8, chunkTokens: 4 })],
    ['ReSV at mass 1', resvSession({ mass: 1 })],
    ['LServe without streaming heads', lserveSession({ ...LSERVE, share: 1, streamingShare: 0 })],
    [
      'ReKV with every block, a wide window and own places',
      rekvSession({ blocks: 99, blockTokens: 4, localTokens: 40, positions: 'own' }),
    ],
  ] as const)('%s', (_, factory) => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 1e6 }), (seed) => {
        expect(gap(factory, seed)).toBeLessThan(1e-4);
      }),
      { numRuns: 10 },
    );
  });

  it.each([
    ['Quest', questSession({ share: 0.2, pageTokens: 4 })],
    ['LoopServe', loopServeSession({ share: 0.1 })],
    ['ShadowKV at a low rank', shadowKvSession({ share: 1, rank: 2, chunkTokens: 4 })],
    ['ReSV', resvSession({ mass: 0.3 })],
    ['LServe with streaming heads', lserveSession({ ...LSERVE, share: 1 })],
    ['ReKV with a narrow window', rekvSession({ blocks: 99, blockTokens: 4, localTokens: 6 })],
  ] as const)('and retrieval of a part is not: %s', (_, factory) => {
    expect(Math.max(...[1, 2, 3].map((seed) => gap(factory, seed)))).toBeGreaterThan(1e-3);
  });
});

describe('sessions of retrieval', () => {
  const factories = [
    questSession({ share: 0.3, pageTokens: 4, offload: true }),
    loopServeSession({ share: 0.3 }),
    shadowKvSession({ share: 0.3, rank: 4, chunkTokens: 4 }),
    resvSession({ mass: 0.5 }),
    lserveSession({ ...LSERVE, share: 0.4 }),
    rekvSession({ blocks: 2, blockTokens: 4, localTokens: 8 }),
  ];
  it.each(factories.map((factory) => [factory.label, factory] as const))(
    '%s loses nothing between questions and comes back when rewound',
    (_, factory) => {
      const model = tinyModel(8);
      const context = tinyText(8, 30);
      const session = factory.open(model);
      session.prefill(context);
      const before = session.ledger();
      expect(before.slots.flat().every((count) => count === 30)).toBe(true);
      expect(session.dropped(0, 0)).toEqual([]);
      const first = session.ask(QUESTION, 5, new Set());
      session.ask([8, 9], 4, new Set());
      session.rewind();
      expect(session.ledger().layers).toEqual(before.layers);
      expect(session.ask(QUESTION, 5, new Set())).toEqual(first);
      const known = factory.open(model);
      known.prefill(context, { question: QUESTION });
      expect(known.ask(QUESTION, 5, new Set())).toEqual(first);
    },
  );

  it('works on a context of one token and with a share of one page', () => {
    const model = tinyModel(2);
    for (const factory of factories) {
      const session = factory.open(model);
      session.prefill([1]);
      expect(session.ask([4], 2, new Set())).toHaveLength(2);
    }
  });
});

describe('what retrieval holds and moves', () => {
  it('moves a row once while a head keeps choosing it, and counts only real rows', () => {
    const model = tinyModel(3, { layers: 1 });
    const session = questSession({ share: 1, pageTokens: 4, offload: true }).open(model);
    session.prefill(tinyText(3, 20));
    expect(session.ledger().movedBytes).toBe(0);
    session.ask([4, 5, 6], 3, new Set());
    // Everything is chosen by every query: 20 rows x 2 heads x 2 x 4 numbers x 2 bytes, once.
    expect(session.ledger().movedBytes).toBe(20 * 2 * 2 * 4 * 2);
    session.rewind();
    session.ask([4], 1, new Set());
    expect(session.ledger().movedBytes).toBe(2 * 20 * 2 * 2 * 4 * 2);
  });

  it('holds rows in binary16, and attends to what it holds', () => {
    const model = tinyModel(3);
    const { layers, kvHeads, headSize } = model.config;
    const session = questSession({ share: 0.5, pageTokens: 4 }).open(model);
    session.prefill(tinyText(3, 20));
    for (const { bytes } of session.ledger().layers) {
      expect(bytes.payload).toBe(kvHeads * 20 * 2 * headSize * 2);
    }
    const rows = createRowCache(model.config);
    model.forward({
      tokens: tinyText(3, 20),
      positions: Array.from({ length: 20 }, (_, i) => i),
      cache: rows,
      logits: 'none',
    });
    for (let layer = 0; layer < layers; layer++) {
      const { keys, values, storedKeys, storedValues } = rows.head(layer, 0);
      expect(storedKeys).toBeInstanceOf(Uint16Array);
      expect(halvesToNumbers(storedKeys as Uint16Array)).toEqual(keys);
      expect(halvesToNumbers(storedValues as Uint16Array)).toEqual(values);
    }
  });

  it('keeps factors, landmarks and exact chunks on the device, and values off it', () => {
    const model = tinyModel(3, { layers: 1 });
    const session = shadowKvSession({
      share: 0.25,
      rank: 3,
      chunkTokens: 4,
      outlierChunks: 1,
      localChunks: 1,
    }).open(model);
    session.prefill(tinyText(3, 20));
    const [device, host] = session.ledger().layers;
    // 20 x 3 coefficients and a 3 x 8 basis; 5 landmarks of 4 numbers for each of 2 heads.
    expect(device!.bytes.factors).toBe((20 * 3 + 3 * 8) * 4);
    expect(device!.bytes.summaries).toBe(2 * 5 * 4 * 4);
    // 2 chunks of 4 tokens with keys and values in each head; the other 12 values are away.
    expect(device!.bytes.payload).toBe(2 * 8 * 2 * 4 * 2);
    expect(host!.bytes.payload).toBe(2 * 12 * 4 * 2);
    session.ask([4], 1, new Set());
    // One chunk of values for each head.
    expect(session.ledger().movedBytes).toBe(2 * 4 * 4 * 2);
  });

  it('does not hold what a streaming head cannot reach', () => {
    const model = tinyModel(3, { layers: 1 });
    const session = lserveSession({ ...LSERVE, share: 1, gates: [[0.1, 0.9]] }).open(model);
    session.prefill(tinyText(3, 20));
    // Head 0 keeps 2 + 4 rows, head 1 all 20.
    expect(session.ledger().layers[0]!.bytes.payload).toBe(26 * 2 * 4 * 2);
  });
});
