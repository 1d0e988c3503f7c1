import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { halvesToNumbers, roundToHalves } from '../../../lib/attention/quantise/half';
import { createSlotCache } from '../../../lib/cache/slots/slot-cache';
import type { SlotCache } from '../../../lib/cache/slots/types';
import type { ByteLedger, Encoded } from '../../../lib/cache/types';
import { createFullCache } from '../../../lib/transformer/full-cache';
import { prefill } from '../../../lib/transformer/generate';
import { randomModel, randomTokens, SMALL } from './random-model';

const model = randomModel(1);
const context = randomTokens(2, 40);
const question = randomTokens(3, 3);
const { headSize, kvHeads, layers } = SMALL;

function filled(options: Parameters<typeof createSlotCache>[1] = { storage: 'f32' }): SlotCache {
  const cache = createSlotCache(SMALL, options);
  prefill(model, cache, context, 0);
  return cache;
}

function answer(cache: SlotCache): Float32Array {
  const saved = cache.snapshot();
  const logits = prefill(model, cache, question, context.length);
  cache.restore(saved);
  return logits;
}

function forEachHead(act: (layer: number, kvHead: number) => void): void {
  for (let layer = 0; layer < layers; layer++) {
    for (let kvHead = 0; kvHead < kvHeads; kvHead++) act(layer, kvHead);
  }
}

const total = (ledger: ByteLedger) =>
  ledger.layers.reduce(
    (sum, { bytes }) => sum + Object.values(bytes).reduce((all, one) => all + one, 0),
    0,
  );

describe('the slot cache', () => {
  it('gives the logits of the full cache exactly when it holds everything', () => {
    const full = createFullCache(SMALL);
    prefill(model, full, context, 0);
    expect(answer(filled())).toEqual(prefill(model, full, question, context.length));
  });

  it('answers the same whatever the order of its slots', () => {
    const cache = filled();
    const before = answer(cache);
    forEachHead((layer, kvHead) => {
      const head = cache.head(layer, kvHead);
      const order = Array.from({ length: head.count }, (_, i) => (i * 7 + 3) % head.count);
      const rows = (from: Float32Array) =>
        Float32Array.from(
          order.flatMap((i) => [...from.subarray(i * headSize, (i + 1) * headSize)]),
        );
      cache.replace(layer, kvHead, [
        {
          form: 'plain',
          headSize,
          keys: rows(head.keys()),
          values: rows(head.values()),
          positions: Int32Array.from(order, (i) => head.positions[i]!),
        },
      ]);
    });
    answer(cache).forEach((logit, i) => {
      expect(logit).toBeCloseTo(before[i]!, 4);
    });
  });

  it('is ragged, frees what it drops, and names what was dropped', () => {
    const cache = filled({});
    const before = total(cache.ledger());
    expect(before).toBe(layers * kvHeads * context.length * (2 * headSize * 2 + 4));
    forEachHead((layer, kvHead) => {
      const kept = 1 + layer * kvHeads + kvHead;
      cache.keep(
        layer,
        kvHead,
        Int32Array.from({ length: kept }, (_, i) => 2 * i),
      );
      expect(cache.dropped(layer, kvHead)).toHaveLength(context.length - kept);
      expect(cache.slots(layer, kvHead).map(({ position }) => position)).toEqual(
        Array.from({ length: kept }, (_, i) => 2 * i),
      );
    });
    expect(cache.ledger().slots).toEqual([
      [1, 2],
      [3, 4],
      [5, 6],
    ]);
    expect(total(cache.ledger())).toBe(21 * (2 * headSize * 2 + 4));
    expect(() => cache.keep(0, 0, Int32Array.of(1))).toThrow(
      'invalid slot: 1 at 0 (expected 0..0)',
    );
  });

  it('holds f16 as the nearest halves', () => {
    const plain = filled().head(1, 1).keys();
    const halves = filled({ storage: 'f16' });
    // Layer 0 reads embeddings only, so that no rounding has entered its keys.
    expect(halves.head(0, 0).keys()).toEqual(
      halvesToNumbers(roundToHalves(filled().head(0, 0).keys())),
    );
    halves
      .head(1, 1)
      .keys()
      .forEach((key, i) => {
        expect(Math.abs(key - plain[i]!)).toBeLessThan(0.02);
      });
  });

  it('comes back to a snapshot, as often as asked, after appends and evictions', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 39 }), { minLength: 1, maxLength: 9 }),
        (asked) => {
          const cache = filled();
          const saved = cache.snapshot();
          const bytes = total(cache.ledger());
          const before = answer(cache);
          prefill(model, cache, asked, context.length);
          if (asked.length % 2 === 1) cache.keep(0, 0, Int32Array.of(0, 5));
          cache.restore(saved);
          expect(answer(cache)).toEqual(before);
          cache.restore(saved);
          expect(total(cache.ledger())).toBe(bytes);
          expect(cache.tokensSeen).toBe(context.length);
        },
      ),
      { numRuns: 12 },
    );
  });

  it('attends to encoded slots beside plain ones, and counts their buffers', () => {
    const cache = filled();
    const before = answer(cache);
    const bytes = total(cache.ledger());
    forEachHead((layer, kvHead) => {
      const head = cache.head(layer, kvHead);
      const [keys, values] = [head.keys().slice(), head.values().slice()];
      const half = 20 * headSize;
      const encoded: Encoded = {
        slots: 20,
        headSize,
        buffers: [
          { role: 'payload', data: keys.slice(0, half) },
          { role: 'payload', data: values.slice(0, half) },
          { role: 'scales', data: new Uint8Array(3) },
        ],
        decodeKeys: () => keys.slice(0, half),
        decodeValues: () => values.slice(0, half),
      };
      cache.replace(layer, kvHead, [
        { form: 'encoded', encoded, positions: head.positions.slice(0, 20), state: 'quantised' },
        {
          form: 'plain',
          headSize,
          keys: keys.slice(half),
          values: values.slice(half),
          positions: head.positions.slice(20),
        },
      ]);
    });
    expect(answer(cache)).toEqual(before);
    expect(total(cache.ledger())).toBe(bytes + 3 * layers * kvHeads);
    expect(cache.slots(0, 0)[0]).toMatchObject({ position: 0, state: 'quantised' });
    cache.keep(0, 0, Int32Array.of(19, 20));
    expect(cache.head(0, 0).positions).toEqual(Int32Array.of(19, 20));
    expect(cache.slots(0, 0).map(({ state }) => state)).toEqual(['quantised', 'kept']);
  });
});
