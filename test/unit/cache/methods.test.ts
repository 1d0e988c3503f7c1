import { describe, expect, it } from 'vitest';
import { PRESETS } from '../../../lib/cache/policy/presets';
import { openPolicySession, type PolicySession } from '../../../lib/cache/policy/run';
import {
  type CacheBudget,
  type CachePolicyInput,
  cachePolicy,
} from '../../../lib/spec/cache-policy';
import { createFullCache } from '../../../lib/transformer/full-cache';
import { prefill } from '../../../lib/transformer/generate';
import type { Transformer } from '../../../lib/transformer/types';
import { randomModel, randomTokens, SMALL } from './random-model';

const { layers, kvHeads, heads, headSize } = SMALL;
const group = heads / kvHeads;
const model = randomModel(31);
const context = randomTokens(32, 40);
const question = randomTokens(33, 3);
const none: ReadonlySet<number> = new Set();

function open(
  id: string,
  tokens: number,
  changes: Partial<CachePolicyInput> = {},
  of: Transformer = model,
): PolicySession {
  const budget: CacheBudget = { type: 'tokens', tokens };
  const preset = PRESETS.find((one) => one.id === id)!;
  const policy = cachePolicy.parse({ ...preset.policy(budget), storage: 'f32', ...changes });
  return openPolicySession(policy, of);
}

const kept = (session: PolicySession, layer: number, kvHead: number) =>
  session
    .slots(layer, kvHead)
    .map(({ position }) => position)
    .sort((a, b) => a - b);

/** Attention of the dense model, [layer][query head][query][key], through another cache. */
function attention(tokens: readonly number[], of: Transformer = model): number[][][][] {
  const cache = createFullCache(SMALL);
  const all: number[][][][] = Array.from({ length: layers }, () => []);
  prefill(
    of,
    {
      ...cache,
      observe({ layer, kvHead, rows, count, weights }) {
        for (let member = 0; member < group; member++) {
          all[layer]![kvHead * group + member] = Array.from({ length: rows }, (_, row) => [
            ...weights.subarray((row * group + member) * count, (row * group + member + 1) * count),
          ]);
        }
      },
    },
    tokens,
    0,
  );
  return all;
}

const best = (scores: readonly number[], count: number) =>
  scores
    .map((score, slot) => ({ score, slot }))
    .sort((a, b) => b.score - a.score)
    .slice(0, count)
    .map(({ slot }) => slot);
const ascending = (values: readonly number[]) => [...values].sort((a, b) => a - b);

describe('what the methods keep, against the dense attention', () => {
  it('SnapKV: pooled sums of the window’s attention, the mean of a group, and the window', () => {
    const session = open('snapkv', 24);
    session.prefill(context);
    const dense = attention(context);
    for (let layer = 0; layer < layers; layer++) {
      for (let kvHead = 0; kvHead < kvHeads; kvHead++) {
        const sums = Array.from({ length: 24 }, (_, key) => {
          let sum = 0;
          for (let member = 0; member < group; member++) {
            for (let row = 24; row < 40; row++) {
              sum += dense[layer]![kvHead * group + member]![row]![key]! / group;
            }
          }
          return sum;
        });
        const pooled = sums.map((_, key) =>
          [-2, -1, 0, 1, 2].reduce((sum, step) => sum + (sums[key + step] ?? 0) / 5, 0),
        );
        const window = Array.from({ length: 16 }, (_, i) => 24 + i);
        expect(kept(session, layer, kvHead)).toEqual(ascending([...best(pooled, 8), ...window]));
      }
    }
  });

  it('SnapKV: one set of slots per KV head, not a copy for each query head', () => {
    const session = open('snapkv', 24, { storage: 'f16' });
    session.prefill(context);
    const payload = session.ledger().layers.reduce((sum, { bytes }) => sum + bytes.payload, 0);
    expect(payload).toBe(layers * kvHeads * 24 * 2 * headSize * 2);
  });

  it('SnapKV: the question in sight moves what is kept, and is not kept itself', () => {
    const hidden = open('snapkv', 20);
    hidden.prefill(context);
    const known = open('snapkv', 20);
    known.prefill(context, { question });
    expect(known.ledger().tokensSeen).toBe(context.length);
    expect(known.ledger().recomputedTokenLayers).toBe(question.length * layers);
    const differ = Array.from({ length: layers }, (_, layer) => layer).some(
      (layer) => kept(known, layer, 0).join() !== kept(hidden, layer, 0).join(),
    );
    expect(differ).toBe(true);
    for (const position of kept(known, 0, 0)) expect(position).toBeLessThan(context.length);
  });

  it('TOVA: the last query’s attention over all heads; a layer’s heads agree, also while decoding', () => {
    const session = open('tova', 12);
    session.prefill(context);
    const dense = attention(context);
    for (let layer = 0; layer < layers; layer++) {
      const means = context.map((_, key) =>
        dense[layer]!.reduce((sum, head) => sum + head[39]![key]! / heads, 0),
      );
      expect(kept(session, layer, 0)).toEqual(ascending(best(means, 12)));
    }
    session.ask(question, 6, none);
    for (let layer = 0; layer < layers; layer++) {
      expect(kept(session, layer, 1)).toEqual(kept(session, layer, 0));
      expect(kept(session, layer, 0)).toHaveLength(12);
    }
  });

  it('H2O: half recent tokens, half the largest column sums; the split is open', () => {
    for (const share of [0.5, 0.25]) {
      const session = open('h2o', 12, { selector: { recent: { type: 'share', share } } });
      session.prefill(context);
      const recent = 12 * share;
      const dense = attention(context);
      const sums = context.slice(0, 40 - recent).map((_, key) => {
        let sum = 0;
        for (let member = 0; member < group; member++) {
          for (let row = 0; row < 40; row++) sum += dense[1]![group + member]![row]![key]!;
        }
        return sum;
      });
      const recents = Array.from({ length: recent }, (_, i) => 40 - recent + i);
      expect(kept(session, 1, 1)).toEqual(ascending([...best(sums, 12 - recent), ...recents]));
      const summaries = session.ledger().layers.map(({ bytes }) => bytes.summaries);
      expect(summaries).toEqual(Array.from({ length: layers }, () => kvHeads * 12 * 4));
    }
  });

  it('StreamingLLM: sinks and recents, at indices without gaps, over any length', () => {
    const session = open('streaming-llm', 10);
    session.prefill(context);
    expect(kept(session, 2, 1)).toEqual([0, 1, 2, 3, 34, 35, 36, 37, 38, 39]);
    expect(session.cache().queryIndex(2, 1, 40)).toBe(10);
    session.ask(question, 30, none);
    // 3 of the question and 29 of the answer were appended.
    expect(kept(session, 2, 1)).toEqual([0, 1, 2, 3, 66, 67, 68, 69, 70, 71]);
  });

  it('key norm and KeyDiff: by the keys alone', () => {
    const norms = open('key-norm', 7);
    norms.prefill(context);
    const cache = createFullCache(SMALL);
    prefill(model, cache, context, 0);
    const { keys } = cache.parts(1, 0)[0]!;
    const rows = context.map((_, i) => [...keys.subarray(i * headSize, (i + 1) * headSize)]);
    const length = (row: readonly number[]) => Math.hypot(...row);
    expect(kept(norms, 1, 0)).toEqual(
      ascending(
        best(
          rows.map((row) => -length(row)),
          7,
        ),
      ),
    );
    const anchor = rows[0]!.map((_, d) =>
      rows.reduce((sum, row) => sum + row[d]! / length(row), 0),
    );
    const cosines = rows.map(
      (row) => -row.reduce((sum, x, d) => sum + x * anchor[d]!, 0) / length(row) / length(anchor),
    );
    const different = open('keydiff', 7);
    different.prefill(context);
    expect(kept(different, 1, 0)).toEqual(ascending(best(cosines, 7)));
  });

  it('CAKE: the cascade ends where one split at the end does, with fewer slots at its peak', () => {
    const cascade = open('cake', 20);
    const once = open('cake', 20, { trigger: { type: 'after-prefill' } });
    cascade.prefill(context);
    once.prefill(context);
    const perLayer = cascade.ledger().slots.map((own) => own[0]!);
    expect(new Set(perLayer).size).toBeGreaterThan(1);
    for (let layer = 0; layer < layers; layer++) {
      for (let kvHead = 0; kvHead < kvHeads; kvHead++) {
        expect(kept(cascade, layer, kvHead)).toEqual(kept(once, layer, kvHead));
      }
    }
    expect(once.peakSlots()).toBe(layers * kvHeads * 40);
    // The layer that has just run is whole, those before share the budget.
    expect(cascade.peakSlots()).toBeLessThanOrEqual(kvHeads * (layers * 20 + 40));
  });

  it('acts on a context in chunks, and never holds more than the budget and a chunk', () => {
    const session = open('random', 10, { trigger: { type: 'every', tokens: 8 } });
    session.prefill(context);
    expect(session.peakSlots()).toBeLessThanOrEqual(layers * kvHeads * 18);
    expect(session.ledger().slots.flat()).toEqual(Array.from({ length: 6 }, () => 10));
    session.ask(question, 20, none);
    for (const count of session.ledger().slots.flat()) expect(count).toBeLessThan(18);
  });

  it('waits for the question where its trigger says so', () => {
    const session = open('snapkv', 20, { trigger: { type: 'on-question' } });
    const known = open('snapkv', 20);
    session.prefill(context);
    expect(session.ledger().slots.flat()).toEqual(Array.from({ length: 6 }, () => 40));
    known.prefill(context, { question });
    expect(session.ask(question, 5, none)).toEqual(known.ask(question, 5, none));
    session.rewind();
    expect(session.ledger().slots[0]![0]).toBe(40);
  });

  it('DuoAttention and RazorAttention: some heads keep everything, all others little', () => {
    for (const id of ['duo-attention', 'razor-attention']) {
      const session = open(id, 24);
      session.prefill(context);
      const counts = session.ledger().slots.flat();
      expect(counts.filter((count) => count === 40).length).toBe(2);
      expect(counts.filter((count) => count < 20).length).toBe(4);
      session.ask(question, 4, none);
      expect(Math.max(...session.ledger().slots.flat())).toBe(46);
    }
    const razor = open('razor-attention', 24);
    razor.prefill(context);
    const merged = razor
      .ledger()
      .slots.flatMap((own, layer) => own.flatMap((_, kvHead) => razor.slots(layer, kvHead)))
      .filter(({ state }) => state === 'merged');
    expect(merged.map(({ multiplicity }) => multiplicity)).toEqual([25, 25, 25, 25]);
  });
});
