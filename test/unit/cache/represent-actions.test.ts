import { describe, expect, test } from 'vitest';
import { encodeLayers } from '../../../lib/cache/represent/encode-layers';
import type { SlotCache } from '../../../lib/cache/slots/types';
import { cacheAction } from '../../../lib/spec/cache-actions';
import { projectedForm, quantisedForm } from '../../../lib/spec/cache-forms';
import { prefill } from '../../../lib/transformer/generate';
import { type Acting, actedCache, ledgerBytes } from './acted-cache';
import { randomTokens } from './random-model';
import { largestDifference } from './rows';
import { TINY, tinyModel } from './tiny-model';

const model = tinyModel();
const context = randomTokens(3, 120, TINY);
const question = randomTokens(4, 5, TINY);

const logitsOf = (cache: SlotCache) => prefill(model, cache, question, context.length);
const acted = (acting: Acting) => actedCache(model, context, acting);
const full = logitsOf(acted({ action: { type: 'none' } }));

const QUANTISED = ['per-token', 'kivi', 'gear', 'mikv', 'zipcache', 'vidkv', 'cachegen'] as const;
const PROJECTED = ['low-rank', 'cross-layer', 'principal', 'projection', 'spherical'] as const;
const ALL: readonly Acting['action'][] = [
  ...QUANTISED.map((type) => ({ type: 'quantise', form: { type } })),
  ...PROJECTED.map((type) => ({ type: 'project', form: { type } })),
  { type: 'channel-prune' },
  { type: 'channel-prune', rope: 'after', keepPairs: false },
  { type: 'merge' },
  { type: 'merge', target: 'nearest-position' },
  { type: 'merge', target: 'adjacent-sets', weights: 'gaussian' },
];

describe('every action that keeps slots in another form', () => {
  test.each(ALL.map((action) => [JSON.stringify(action), action] as const))(
    '%s runs at any budget, with victims or all',
    (_, action) => {
      for (const keptShare of [0, 1 / 120, 0.5, 1]) {
        for (const slots of action.type === 'merge' ? [undefined] : ['victims', 'all']) {
          const cache = acted({ action: { ...action, ...(slots ? { slots } : {}) }, keptShare });
          const { total } = ledgerBytes(cache);
          expect(Number.isFinite(total)).toBe(true);
          expect(logitsOf(cache).every(Number.isFinite)).toBe(true);
        }
      }
    },
  );

  test('keeps every token in a slot but where it merges, and the count where it does', () => {
    for (const action of ALL) {
      const head = acted({ action, keptShare: 0.25 }).head(1, 1);
      const tokens = head.multiplicity.reduce((sum, count) => sum + count, 0);
      if (action.type === 'merge') {
        expect(head.count).toBe(30);
        // Sets of too few similar neighbours are evicted.
        if (action.target === 'adjacent-sets') expect(tokens).toBeLessThanOrEqual(120);
        else expect(tokens).toBe(120);
      } else expect([head.count, tokens]).toEqual([120, 120]);
    }
  });
});

describe('laws over a model', () => {
  test('16 bits of every quantiser that has them answer as f16 does', () => {
    const half = logitsOf(acted({ action: { type: 'none' }, storage: 'f16' }));
    expect(largestDifference(half, full)).toBeLessThan(0.05);
    for (const type of ['per-token', 'kivi', 'mikv', 'zipcache'] as const) {
      const form = { type, bits: 16, ...(type === 'mikv' ? { balanced: false } : {}) };
      const logits = logitsOf(acted({ action: { type: 'quantise', slots: 'all', form } }));
      expect(largestDifference(logits, half)).toBeLessThan(0.02);
    }
  });

  test('full rank answers as the full cache up to f16', () => {
    const forms = [
      { type: 'low-rank', keyShare: 1, valueShare: 1 },
      { type: 'cross-layer', keyShare: 0.999, valueShare: 0.999 },
      { type: 'principal', share: 1 },
      { type: 'projection', share: 1 },
      { type: 'projection', share: 1, fit: 'prompt' },
      { type: 'spherical', retained: 1 },
    ];
    for (const form of forms) {
      const logits = logitsOf(acted({ action: { type: 'project', form } }));
      expect(largestDifference(logits, full), form.type).toBeLessThan(0.1);
    }
  });

  test('fewer bits answer worse', () => {
    const errors = [8, 4, 2].map((bits) =>
      largestDifference(
        logitsOf(
          acted({ action: { type: 'quantise', slots: 'all', form: { type: 'per-token', bits } } }),
        ),
        full,
      ),
    );
    expect(errors[0]!).toBeLessThan(errors[1]!);
    expect(errors[1]!).toBeLessThan(errors[2]!);
  });

  test('pruning no channel is exact up to f16, before RoPE and after', () => {
    for (const rope of ['before', 'after']) {
      const logits = logitsOf(acted({ action: { type: 'channel-prune', share: 0, rope } }));
      expect(largestDifference(logits, full)).toBeLessThan(0.05);
    }
  });

  test('a window of recent tokens stays exact', () => {
    const action = { type: 'quantise', slots: 'all', form: { type: 'per-token', bits: 2 } };
    const corrector = { type: 'recent-window', tokens: 10 } as const;
    const exact = acted({ action: { type: 'none' } }).head(0, 0);
    const head = acted({ action, corrector }).head(0, 0);
    const keys = head.keys();
    head.positions.forEach((position, slot) => {
      const error = largestDifference(
        keys.subarray(slot * 16, slot * 16 + 16),
        exact.keys().subarray(position * 16, position * 16 + 16),
      );
      if (position >= 110) expect(error).toBe(0);
      else expect(error).toBeGreaterThan(0);
    });
  });

  test('correctors of a quantiser lower its error', () => {
    const action = { type: 'quantise', slots: 'all', form: { type: 'per-token', bits: 2 } };
    const errorWith = (corrector: Acting['corrector']) => {
      const head = acted({ action, ...(corrector ? { corrector } : {}) }).head(0, 0);
      const exact = acted({ action: { type: 'none' } }).head(0, 0);
      return head.keys().reduce((sum, x, i) => sum + (x - exact.keys()[i]!) ** 2, 0);
    };
    const plain = errorWith(undefined);
    expect(errorWith({ type: 'low-rank-residual', rank: 4 })).toBeLessThan(plain);
    expect(errorWith({ type: 'sparse-outliers', share: 0.2 })).toBeLessThan(plain);
  });
});

describe('two levels', () => {
  test('a form of the kept slots takes them too: 30 of 120 in 4 bits, 90 in 2', () => {
    const form = { type: 'per-token', bits: 2 };
    const keptForm = { type: 'per-token', bits: 4 };
    const cache = acted({ action: { type: 'quantise', form, keptForm }, storage: 'f16' });
    const heads = TINY.layers * TINY.kvHeads;
    expect(ledgerBytes(cache).byRole.payload).toBe(heads * 2 * (30 * 8 + 90 * 4));
    const equal = { type: 'quantise', form, keptForm: form };
    const uniform = { type: 'quantise', slots: 'all', form };
    expect([...logitsOf(acted({ action: equal }))]).toEqual([
      ...logitsOf(acted({ action: uniform })),
    ]);
  });
});

describe('bytes of the ledger', () => {
  test('int8 per token: half the payload of f16 and 4 bytes per row of scales', () => {
    const action = { type: 'quantise', slots: 'all', form: { type: 'per-token', bits: 8 } };
    const { byRole } = ledgerBytes(acted({ action, storage: 'f16' }));
    const rows = 120 * 2 * TINY.layers * TINY.kvHeads;
    expect(byRole.payload).toBe(rows * 16);
    expect(byRole.scales).toBe(rows * 4);
  });

  test('channel pruning saves half its share of keys and values, less its mask', () => {
    const action = { type: 'channel-prune', share: 0.5, recentTokens: 0 };
    const { byRole } = ledgerBytes(acted({ action, storage: 'f16' }));
    const heads = TINY.layers * TINY.kvHeads;
    expect(byRole.payload).toBe(120 * heads * 2 * (8 + 16));
    expect(byRole.indices).toBe(heads * 2);
  });

  test('cross-layer: one set of coefficients for four layers', () => {
    const action = { type: 'project', form: { type: 'cross-layer' } };
    const { byRole } = ledgerBytes(acted({ action, storage: 'f16' }));
    // 4 layers of 32 channels: ranks 16 and 24.
    expect(byRole.payload).toBe(120 * (16 + 24) * 2);
    expect(byRole.factors).toBe((16 + 24) * 128 * 2);
  });
});

describe('what does not fit', () => {
  test('heads with unlike slots under a form that spans them', () => {
    const head = (slots: number) => ({
      slots,
      headSize: 4,
      keys: new Float32Array(slots * 4),
      values: new Float32Array(slots * 4),
    });
    expect(() =>
      encodeLayers(
        projectedForm.parse({ type: 'low-rank' }),
        [{ layer: 2, heads: [head(3), head(5)] }],
        4,
      ),
    ).toThrow('KV head 1 of layer 2 holds 5 slots to encode and head 0 3');
  });

  test('bits, groups and single channels before RoPE', () => {
    expect(() => quantisedForm.parse({ type: 'per-token', bits: 3 })).toThrow();
    expect(() =>
      acted({
        action: { type: 'quantise', slots: 'all', form: { type: 'kivi', groupChannels: 24 } },
      }),
    ).toThrow('invalid groupChannels: 24 (expected a divisor of columns 32)');
    expect(() =>
      acted({ action: { type: 'channel-prune', rope: 'before', keepPairs: false } }),
    ).toThrow('invalid keepPairs: false');
    expect(cacheAction.parse({ type: 'quantise' })).toMatchObject({ form: { bits: 8 } });
  });
});
