import { describe, expect, it } from 'vitest';
import { FLOW_PRESETS } from '../../../lib/cache/policy/presets-flow';
import { REUSE_PRESETS } from '../../../lib/cache/policy/presets-reuse';
import type { CacheBudget } from '../../../lib/spec/cache-policy';
import { SPECULATION, speculationEntry } from '../../../lib/speculate/presets';
import { tinyModel, tinyText } from '../speculate/tiny-model';
import { fullHalfSession } from './full-half-session';
import { logitsAfter } from './logits';

const entries = [...FLOW_PRESETS, ...REUSE_PRESETS].map((entry) => [entry.id, entry] as const);
const budgets: readonly CacheBudget[] = [
  { type: 'ratio', share: 1 },
  { type: 'ratio', share: 0.25 },
  { type: 'tokens', tokens: 1 },
  { type: 'tokens', tokens: 9999 },
];

describe('presets of retrieval, depth and reuse', () => {
  it.each(entries)('%s answers from one slot to everything', (_, entry) => {
    const model = tinyModel(5, { layers: 4 });
    const context = tinyText(5, 70);
    for (const budget of budgets) {
      const session = entry.open(model, budget);
      session.prefill(context, { chunkStarts: [0, 20, 50] });
      const before = session.ledger();
      expect(before.tokensSeen).toBe(70);
      expect(session.ask([4, 5], 3, new Set())).toHaveLength(3);
      session.rewind();
      expect(session.ledger().layers).toEqual(before.layers);
      for (const { bytes } of before.layers) {
        for (const count of Object.values(bytes)) expect(count).toBeGreaterThanOrEqual(0);
      }
      const short = entry.open(model, budget);
      short.prefill([1, 4]);
      expect(short.ask([4], 2, new Set())).toHaveLength(2);
    }
  });

  it.each(['quest', 'loopserve', 'fastkv', 'lazyllm'])('%s is dense at a full budget', (id) => {
    const entry = FLOW_PRESETS.find((one) => one.id === id)!;
    const model = tinyModel(6);
    const context = tinyText(6, 40);
    const open = { label: id, open: (same: typeof model) => entry.open(same, budgets[0]!) };
    const { logits } = logitsAfter(model, open, context, [4, 5]);
    const wanted = logitsAfter(model, fullHalfSession, context, [4, 5]).logits;
    logits.forEach((logit, i) => {
      expect(logit).toBeCloseTo(wanted[i]!, 4);
    });
  });

  it('fits on samples once for each set of them', () => {
    const entry = FLOW_PRESETS.find(({ id }) => id === 'swiftkv')!;
    let runs = 0;
    const plain = tinyModel(7);
    const model = {
      ...plain,
      forward(step: Parameters<typeof plain.forward>[0]) {
        runs++;
        return plain.forward(step);
      },
    };
    const samples = [tinyText(1, 30), tinyText(2, 30)];
    entry.open(model, budgets[0]!, { samples });
    expect(runs).toBe(2);
    entry.open(model, budgets[1]!, { samples });
    expect(runs).toBe(2);
    entry.open(model, budgets[1]!, { samples: [tinyText(3, 30)] });
    expect(runs).toBe(3);
  });

  it('says what comes first', () => {
    const session = FLOW_PRESETS[0]!.open(tinyModel(1), budgets[0]!);
    expect(() => session.ask([4], 1, new Set())).toThrow('no context: prefill comes first');
  });
});

describe('presets of speculation', () => {
  it('answer as the full cache, whatever drafts', () => {
    const model = tinyModel(11, { layers: 2 });
    const context = tinyText(11, 40);
    const plain = fullHalfSession.open(model);
    plain.prefill(context);
    const wanted = plain.ask([4, 5], 7, new Set([3]));
    for (const id of SPECULATION.keys()) {
      const session = speculationEntry(id).open(model, { type: 'ratio', share: 0.3 });
      session.prefill(context);
      expect(session.ask([4, 5], 7, new Set([3])), id).toEqual(wanted);
    }
    expect(() => speculationEntry('draft-dice')).toThrow('unknown drafter: draft-dice');
  });
});
