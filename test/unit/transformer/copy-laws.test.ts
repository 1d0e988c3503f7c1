import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createRotation } from '../../../lib/cache/slots/rotation';
import { createSlotCache } from '../../../lib/cache/slots/slot-cache';
import type { SlotCache, SlotSnapshot } from '../../../lib/cache/slots/types';
import { ropeOf } from '../../../lib/transformer/reference';
import { configOf } from '../../transformer/random-model';

const config = configOf({ layers: 1, heads: 1, kvHeads: 1, headSize: 2 });

// Most often what goes back and on without an eviction between, which leaves the version as it was.
const act = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      type: fc.constant('append' as const),
      rows: fc.integer({ min: 1, max: 4 }),
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      type: fc.constantFrom('mark' as const, 'snapshot' as const, 'restore' as const),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      type: fc.constant('keep' as const),
      every: fc.integer({ min: 1, max: 3 }),
    }),
  },
  {
    // What a policy does at every token.
    weight: 3,
    arbitrary: fc.record({ type: fc.constant('evict' as const), slot: fc.nat(12) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      type: fc.constant('truncate' as const),
      tokens: fc.integer({ min: 0, max: 5 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('merge' as const) }) },
);

function rotatedAnew(cache: SlotCache): number[] {
  const { positions, keys } = cache.head(0, 0);
  const out = new Float32Array(2 * positions.length);
  createRotation(ropeOf(config)).rotate(keys(), positions, out, 0);
  return [...out];
}

test('slots that are said to be the same are, whatever was done since the mark', () => {
  fc.assert(
    fc.property(fc.array(act, { maxLength: 40, size: 'max' }), (acts) => {
      const cache = createSlotCache(config, { storage: 'f32' });
      let next = 0;
      let value = 0;
      let saved: { readonly cache: SlotSnapshot; readonly next: number } | undefined;
      let copy = { mark: 0, keys: new Float32Array(0), positions: new Int32Array(0) };
      for (const one of acts) {
        const count = cache.count(0, 0);
        switch (one.type) {
          case 'append': {
            const positions = Int32Array.from({ length: one.rows }, (_, i) => next + i);
            // No two rows alike: another one in a slot's place shows.
            const keys = Float32Array.from({ length: 2 * one.rows }, () => ++value);
            const rows = { rows: one.rows, queries: keys, keys, values: keys, positions };
            cache.append(0, { ...rows, tokens: positions });
            next += one.rows;
            break;
          }
          case 'keep': {
            const slots = Int32Array.from({ length: count }, (_, slot) => slot);
            cache.keep(
              0,
              0,
              slots.filter((slot) => slot % one.every === 0),
            );
            break;
          }
          case 'evict': {
            const slots = Int32Array.from({ length: count }, (_, slot) => slot);
            cache.keep(
              0,
              0,
              slots.filter((slot) => slot !== one.slot),
            );
            break;
          }
          case 'truncate':
            next = Math.max(0, next - one.tokens);
            cache.truncate(next);
            break;
          case 'merge': {
            const head = cache.head(0, 0);
            const keys = head.keys().map((each) => each + 0.5);
            const { positions } = head;
            const run = { form: 'plain', headSize: 2, keys, values: keys } as const;
            cache.replace(0, 0, [{ ...run, positions: positions.slice() }]);
            break;
          }
          case 'mark':
            // What is kept of an earlier reading is what a new one gives.
            expect([...cache.head(0, 0).rotatedKeys()]).toEqual(rotatedAnew(cache));
            copy = {
              mark: cache.copied!.mark(0, 0),
              keys: cache.head(0, 0).keys().slice(),
              positions: cache.head(0, 0).positions.slice(),
            };
            break;
          case 'snapshot':
            saved = { cache: cache.snapshot(), next };
            break;
          case 'restore':
            if (saved === undefined) break;
            cache.restore(saved.cache);
            ({ next } = saved);
        }
        const same = cache.copied!.same(0, 0, copy.mark);
        const keys = cache.head(0, 0).keys();
        const { positions } = cache.head(0, 0);
        for (let slot = 0; slot < same; slot++) {
          if (positions[slot] !== copy.positions[slot] || keys[2 * slot] !== copy.keys[2 * slot]) {
            throw new Error(`slot ${slot} of ${same} is another than at the mark`);
          }
        }
      }
    }),
    { numRuns: 500 },
  );
});
