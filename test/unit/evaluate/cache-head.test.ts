import { describe, expect, test } from 'vitest';
import { type CacheHead, createCacheHeads } from '../../../lib/evaluate/cache-head';
import { stepsOfCache, UNSEEN, UNTOLD } from '../../../lib/evaluate/cache-steps';
import { lookAtCache, questionAttention, SLOT_STATES } from '../../../lib/evaluate/look';
import { composedSessions, POLICIES, sessionsOf } from '../../../lib/evaluate/policies';
import { cachePolicy } from '../../../lib/spec/cache-policy';
import { taskOf } from '../../../lib/tasks/registry';
import { WORDS } from '../../../lib/tasks/vocabulary';
import { headBase, headWindow, keptMass, slotList } from '../../../lib/views/cache/head-map';
import { phasesOf, phasesText, readersOf } from '../../../lib/views/cache/slot-readers';
import { randomModel, SMALL } from '../cache/random-model';

const model = randomModel(3, { ...SMALL, vocabularySize: WORDS.length });
const { layers, kvHeads, heads } = model.config;
const group = heads / kvHeads;
const contextTokens = 64;
const sample = taskOf('niah-multi-key-1').sample({ contextTokens, seed: 4, index: 0 });
const question = sample.turns[0]!.question;
const state = (name: (typeof SLOT_STATES)[number]) => SLOT_STATES.indexOf(name);
const openOf = (id: string, share: number) => (of: typeof model) =>
  sessionsOf(id, { type: 'ratio', share }).open(of);
const steps = (id: string, share = 0.25, protocol: 'hidden' | 'known' = 'hidden') =>
  stepsOfCache(model, openOf(id, share), sample, protocol);
const headsOf = createCacheHeads(model, (token) => WORDS[token]!);
const headOf = (id: string, layer = 0, kvHead = 0): CacheHead =>
  headsOf({
    sampleKey: 's',
    policyKey: id,
    sample,
    protocol: 'hidden',
    open: openOf(id, 0.25),
    layer,
    kvHead,
  });

/** These bring tokens back that a step before left out. */
const BRING_BACK = new Set(['lazyllm', 'tempcache']);

describe('what every query could see', () => {
  test('is everything before it over the full cache', () => {
    const { tokens, states } = steps('full');
    expect(tokens.slice(0, contextTokens + question.length)).toEqual([
      ...sample.context,
      ...question,
    ]);
    const size = tokens.length;
    for (let at = 0; at < states.length; at++) {
      const isSeen = at % size <= Math.floor(at / size) % size;
      if (states[at] !== (isSeen ? state('kept') : UNSEEN)) expect.fail(`at ${at}`);
    }
  });

  test('is the sinks, the window and what came after the context under StreamingLLM', () => {
    const { tokens, states } = steps('streaming-llm');
    const size = tokens.length;
    for (let head = 0; head < layers * kvHeads; head++) {
      const first = (head * size + contextTokens) * size;
      const seen = [...states.subarray(first, first + size).keys()].filter(
        (key) => states[first + key]! < state('dropped'),
      );
      expect(seen.filter((key) => key < contextTokens)).toEqual([
        0,
        1,
        2,
        3,
        ...Array.from({ length: 12 }, (_, i) => 52 + i),
      ]);
      expect(seen.at(-1)).toBe(contextTokens);
    }
  });

  test('tells slots in fewer bits apart from the question on', () => {
    const policy = cachePolicy.parse({
      budget: { type: 'ratio', share: 0.25 },
      action: { type: 'quantise', slots: 'victims', form: { type: 'per-token', bits: 4 } },
    });
    const open = (of: typeof model) => composedSessions(policy).open(of);
    const { tokens, states } = stepsOfCache(model, open, sample, 'hidden');
    const row = (query: number) =>
      states.subarray(query * tokens.length).subarray(0, contextTokens);
    expect(new Set(row(contextTokens - 1))).toEqual(new Set([state('kept')]));
    const asked = row(contextTokens);
    expect([...asked].filter((each) => each === state('quantised'))).toHaveLength(48);
    expect([...asked].filter((each) => each === state('kept'))).toHaveLength(16);
  });

  test('is another choice for every query where slots are retrieved', () => {
    const { tokens, states } = steps('quest');
    const size = tokens.length;
    const rows = new Set<string>();
    for (let head = 0; head < layers * kvHeads; head++) {
      const at = (head * size + contextTokens + question.length - 1) * size;
      const row = states.subarray(at, at + contextTokens);
      expect([...row].filter((each) => each !== state('dropped')).length).toBeLessThan(48);
      rows.add(row.join(''));
    }
    expect(rows.size).toBeGreaterThan(1);
  });

  test('tells slots in host memory apart, all of them or the pages that a query takes', () => {
    const asked = (fetch: object) => {
      const policy = cachePolicy.parse({
        budget: { type: 'ratio', share: 0.25 },
        action: { type: 'offload', pageTokens: 8, fetch },
      });
      const open = (of: typeof model) => composedSessions(policy).open(of);
      const { tokens, states } = stepsOfCache(model, open, sample, 'hidden');
      const row = states.subarray(contextTokens * tokens.length).subarray(0, contextTokens);
      return (name: Parameters<typeof state>[0]) => [...row].filter((each) => each === state(name));
    };
    const all = asked({ type: 'all' });
    expect([all('kept').length, all('offloaded').length]).toEqual([16, 48]);
    const pages = asked({ type: 'pages', share: 0.25 });
    expect(pages('kept')).toHaveLength(16);
    expect(pages('offloaded').length).toBeGreaterThan(0);
    expect(pages('offloaded').length + pages('dropped').length).toBe(48);
    expect(pages('dropped').length).toBeGreaterThan(0);
  });

  test('is the whole past again where a question has what was dropped made again', () => {
    const seen = (share: number) => {
      const policy = cachePolicy.parse({
        budget: { type: 'ratio', share: 0.25 },
        action: { type: 'recompute', fromLayer: 0, share },
      });
      const open = (of: typeof model) => composedSessions(policy).open(of);
      const { tokens, states } = stepsOfCache(model, open, sample, 'hidden');
      const row = states.subarray(contextTokens * tokens.length).subarray(0, contextTokens);
      return [...row].filter((each) => each === state('kept')).length;
    };
    expect(seen(1)).toBe(contextTokens);
    expect(seen(0)).toBe(16);
  });

  test.each([...POLICIES.keys()])('agrees with the look at the slots, %s', (id) => {
    const { tokens, states } = steps(id, 0.5);
    const look = lookAtCache(model, openOf(id, 0.5)(model), sample, 'hidden');
    const size = tokens.length;
    expect(tokens.length).toBeGreaterThanOrEqual(contextTokens + question.length);
    const last = tokens.length - 1;
    for (let head = 0; head < layers * kvHeads; head++) {
      const start = (head * size + last) * size;
      for (let key = 0; key < contextTokens; key++) {
        const then = look.states[head * contextTokens + key]!;
        const seen = states[start + key]!;
        // A query sees no slot that is not there; whatever it sees is told as what it is.
        if (then === state('dropped') && seen !== UNTOLD && !BRING_BACK.has(id))
          expect(seen).toBe(state('dropped'));
      }
      expect(states[start + last]).not.toBe(UNSEEN);
    }
  });
});

describe('a head of a cache', () => {
  const cache = headOf('streaming-llm', 1, 1);
  const tokens = cache.labels.length;

  test('has rows that are shares of one, over the full cache', () => {
    for (let row = 0; row < group * tokens; row++) {
      const weights = cache.attention.subarray(row * tokens, (row + 1) * tokens);
      const query = row % tokens;
      expect(weights.subarray(0, query + 1).reduce((a, b) => a + b, 0)).toBeCloseTo(1, 4);
      expect(weights.subarray(query + 1).every(Number.isNaN)).toBe(true);
    }
    const window = { queryStart: 5, queryEnd: 9, keyStart: 2, keyEnd: 8 };
    const { probabilities } = headWindow(cache, cache.firstHead + 1, window);
    const base = headBase(cache, cache.firstHead + 1);
    for (let q = 5; q < 9; q++) {
      for (let k = 2; k < 8; k++) {
        const value = cache.attention[(tokens + q) * tokens + k]!;
        expect(probabilities[(q - 5) * 6 + k - 2]).toEqual(value);
        // Below 512 tokens the reduction is the map itself.
        expect(base.max[q * tokens + k]).toEqual(value);
      }
    }
    expect(() => headWindow(cache, 0, window)).toThrow(/^invalid head: 0 \(expected /);
  });

  test('agrees with the attention of the question where the answer is the same', () => {
    const mean = questionAttention(model, sample);
    const at = (layer: number, kvHead: number) => (layer * kvHeads + kvHead) * contextTokens;
    const asked = question.length + sample.turns[0]!.answer.length;
    // The first query of the question has the same text before it in both.
    const first = headWindow(cache, cache.firstHead, {
      queryStart: contextTokens,
      queryEnd: contextTokens + 1,
      keyStart: 0,
      keyEnd: contextTokens,
    }).probabilities;
    for (let key = 0; key < contextTokens; key++) {
      expect(mean[at(1, 1) + key]! * asked * group).toBeGreaterThanOrEqual(first[key]! - 1e-6);
    }
  });

  test('has a block of one element for every slot that a query saw', () => {
    const list = slotList(cache);
    const { offsets, fullCounts, blocks } = list;
    for (let query = 0; query < tokens; query++) {
      const keys = [...blocks.subarray(offsets[query], offsets[query + 1])];
      const row = cache.states.subarray(query * tokens, (query + 1) * tokens);
      expect(new Set(keys)).toEqual(
        new Set([...row.keys()].filter((key) => row[key]! < state('dropped'))),
      );
      expect(fullCounts[query]).toBe([...row].filter((each) => each === state('kept')).length);
    }
    expect(keptMass(headOf('full', 1, 1), contextTokens)).toBeCloseTo(1, 6);
    const mass = keptMass(cache, contextTokens);
    expect(mass).toBeGreaterThan(0);
    expect(mass).toBeLessThan(1);
  });

  test('names who attends to a token, the strongest first, and who no longer could', () => {
    const key = 20;
    const { strongest, mass, cutOffMass } = readersOf(cache, key, 1000);
    expect(strongest).toHaveLength(group * (tokens - key - 1));
    const weights = strongest.map(({ weight }) => weight);
    expect(weights).toEqual([...weights].sort((a, b) => b - a));
    expect(weights.reduce((a, b) => a + b, 0)).toBeCloseTo(mass, 4);
    for (const { query, isCutOff, part, label } of strongest) {
      expect(isCutOff).toBe(query >= contextTokens);
      expect(part === 'context').toBe(query < contextTokens);
      expect(label).toBe(cache.labels[query]);
    }
    expect(cutOffMass).toBeGreaterThan(0);
    expect(cutOffMass).toBeLessThan(mass);
    expect(phasesOf(cache, key)).toEqual([
      { state: state('kept'), fromQuery: key },
      { state: state('dropped'), fromQuery: contextTokens },
    ]);
    expect(phasesText(cache, key)).toBe(
      `kept from token 20 on, dropped from token ${contextTokens} on (the question begins)`,
    );
  });

  test('is refused where the model has no such head', () => {
    expect(() => headOf('full', layers, 0)).toThrow(`invalid head: layer ${layers}, KV head 0`);
  });
});
