import { describe, expect, test } from 'vitest';
import { lookAtCache, questionAttention, SLOT_STATES } from '../../../lib/evaluate/look';
import { composedSessions, sessionsOf } from '../../../lib/evaluate/policies';
import { cachePolicy } from '../../../lib/spec/cache-policy';
import { taskOf } from '../../../lib/tasks/registry';
import { WORDS } from '../../../lib/tasks/vocabulary';
import { headRows } from '../../../lib/views/cache/head-rows';
import { randomModel, SMALL } from '../cache/random-model';

const model = randomModel(3, { ...SMALL, vocabularySize: WORDS.length });
const { layers, kvHeads } = model.config;
const contextTokens = 64;
const sample = taskOf('niah-multi-key-1').sample({ contextTokens, seed: 4, index: 0 });
const state = (name: (typeof SLOT_STATES)[number]) => SLOT_STATES.indexOf(name);
const look = (id: string, share: number) =>
  lookAtCache(model, sessionsOf(id, { type: 'ratio', share }).open(model), sample, 'hidden');

describe('a look at the slots of a context', () => {
  test('has every slot kept over the full cache, in f16', () => {
    const { states, bytes, multiplicity } = look('full', 1);
    expect(states).toHaveLength(layers * kvHeads * contextTokens);
    expect(new Set(states)).toEqual(new Set([state('kept')]));
    expect(new Set(bytes)).toEqual(new Set([2 * 2 * model.config.headSize]));
    expect(new Set(multiplicity)).toEqual(new Set([1]));
  });

  test('has a window and the sinks alone under StreamingLLM, in every head', () => {
    const { states } = look('streaming-llm', 0.25);
    for (let head = 0; head < layers * kvHeads; head++) {
      const row = states.subarray(head * contextTokens, (head + 1) * contextTokens);
      const kept = [...row.keys()].filter((at) => row[at] !== state('dropped'));
      expect(kept).toEqual([0, 1, 2, 3, ...Array.from({ length: 12 }, (_, i) => 52 + i)]);
    }
  });

  test('tells slots in fewer bits from those that stay', () => {
    const policy = cachePolicy.parse({
      budget: { type: 'ratio', share: 0.25 },
      action: { type: 'quantise', slots: 'victims', form: { type: 'per-token', bits: 4 } },
    });
    const seen = lookAtCache(model, composedSessions(policy).open(model), sample, 'hidden');
    const rows = headRows(seen, questionAttention(model, sample));
    for (const { counts, attentionShare } of rows) {
      expect(counts[state('kept')]).toBe(contextTokens / 4);
      expect(counts[state('quantised')]).toBe((contextTokens * 3) / 4);
      expect(attentionShare).toBeCloseTo(1, 5);
    }
  });

  test('has a ledger of every layer that holds at least the slots', () => {
    const { ledger, bytes } = look('h2o', 0.25);
    expect([...new Set(ledger.map(({ layer }) => layer))]).toEqual([...Array(layers).keys()]);
    const payload = ledger.reduce((sum, entry) => sum + entry.bytes.payload, 0);
    const held = bytes.reduce((sum, each) => sum + each, 0);
    expect(payload).toBeGreaterThanOrEqual(held);
  });
});

test('the attention of a question over a context is a share of one', () => {
  const attention = questionAttention(model, sample);
  for (let head = 0; head < layers * kvHeads; head++) {
    const row = attention.subarray(head * contextTokens, (head + 1) * contextTokens);
    const sum = row.reduce((a, b) => a + b, 0);
    expect(sum).toBeGreaterThan(0);
    expect(sum).toBeLessThan(1);
  }
});
