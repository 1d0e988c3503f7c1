import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { simulate } from '../../../lib/serving/core/simulation';
import type { BatchFeatures, CostModel, ServeResult } from '../../../lib/serving/types';
import { serveParams } from '../../../lib/spec/kinds/serve';
import type { Workload } from '../../../lib/workload/types';
import { type PlainV1Input, type PlainV1Options, runPlainVllmV1 } from './plain-vllm-v1';

/** Dyadic, so that both sides add the same numbers without rounding. */
const seconds = (tokens: number, requests: number, context: number): number =>
  (64 + tokens + 2 * requests + Math.floor(context / 16)) / 1024;

const costModel: CostModel = {
  kind: 'roofline',
  label: 'test',
  source: 'test',
  iterationSeconds: (f: BatchFeatures) =>
    seconds(
      f.decodeCount + f.prefillTokens,
      f.decodeCount + f.prefillCount,
      // A decode's context counts the token being fed.
      f.decodeContextTokens - f.decodeCount + f.prefillContextTokens,
    ),
};
const plainSeconds: PlainV1Options['stepSeconds'] = (parts) =>
  seconds(
    parts.reduce((sum, { tokens }) => sum + tokens, 0),
    parts.length,
    parts.reduce((sum, { context }) => sum + context, 0),
  );

function workloadOf(rows: readonly PlainV1Input[]): Workload {
  const offsets = new Int32Array(rows.length + 1);
  rows.forEach(({ tokens }, i) => {
    offsets[i + 1] = (offsets[i] as number) + tokens.length;
  });
  return {
    arrivalSeconds: Float64Array.from(rows, ({ arrival }) => arrival),
    promptTokens: Int32Array.from(rows, ({ prompt }) => prompt),
    outputTokens: Int32Array.from(rows, ({ output }) => output),
    priority: Int32Array.from(rows, ({ priority }) => priority),
    content: {
      tokensPerId: 1,
      offsets,
      ids: Int32Array.from(rows.flatMap(({ tokens }) => tokens)),
    },
    label: 'test',
    source: 'test',
    seed: 0,
    notes: [],
  };
}

function run(
  rows: readonly PlainV1Input[],
  options: Omit<PlainV1Options, 'stepSeconds'>,
): ServeResult {
  const params = serveParams.parse({
    strategy: {
      type: 'vllm-v1',
      maxBatchedTokens: options.budget,
      maxSequences: options.maxSequences,
      longPrefillTokens: options.threshold,
      chunkedPrefill: options.chunked,
      prefixCaching: options.caching,
      reservePrompt: options.reserve,
      order: options.byPriority ? 'priority' : 'fcfs',
      asyncScheduling: options.depth === 2,
    },
    memory: { kvBlocks: options.blocks, blockTokens: options.blockTokens },
  });
  return simulate(params, workloadOf(rows), costModel);
}

const DEFAULTS = {
  blocks: 100,
  blockTokens: 4,
  budget: 16,
  maxSequences: 8,
  threshold: 0,
  chunked: true,
  reserve: true,
  byPriority: false,
  caching: true,
  depth: 1,
} as const;
const request = (arrival: number, prompt: number, output: number, tokens: number[] = []) => ({
  arrival,
  prompt,
  output,
  priority: 0,
  tokens,
});
const sequence = (from: number, count: number) => Array.from({ length: count }, (_, i) => from + i);

type Rows = readonly PlainV1Input[];
type Drawn = Omit<PlainV1Options, 'stepSeconds'>;

/** Prompts that begin with one of two shared texts, so that prefixes meet. */
const rows = (mostOutput: number, mostShared: number, mostRequests: number): fc.Arbitrary<Rows> =>
  fc
    .array(
      fc.record({
        arrival: fc.integer({ min: 0, max: 2048 }).map((ticks) => ticks / 1024),
        prompt: fc.integer({ min: 1, max: 40 }),
        output: fc.integer({ min: 1, max: mostOutput }),
        priority: fc.integer({ min: 0, max: 2 }),
        text: fc.integer({ min: 0, max: 1 }),
        shared: fc.integer({ min: 0, max: mostShared }),
        hasOutput: fc.boolean(),
      }),
      { minLength: 1, maxLength: mostRequests },
    )
    .map((drawn) =>
      drawn
        .map(({ arrival, prompt, output, priority, text, shared, hasOutput }, id): PlainV1Input => {
          const tokens = sequence(0, hasOutput ? prompt + output : prompt).map((i) =>
            i < shared ? text * 1000 + i : 10_000 * (id + 1) + i,
          );
          return { arrival, prompt, output, priority, tokens };
        })
        .sort((a, b) => a.arrival - b.arrival),
    );
const options = fc.record({
  blocks: fc.integer({ min: 12, max: 60 }),
  blockTokens: fc.constantFrom(1, 4, 8),
  budget: fc.integer({ min: 1, max: 60 }),
  maxSequences: fc.integer({ min: 1, max: 8 }),
  threshold: fc.constantFrom(0, 0, 5, 12),
  chunked: fc.boolean(),
  reserve: fc.boolean(),
  byPriority: fc.boolean(),
  caching: fc.boolean(),
  depth: fc.constantFrom(1 as const, 2 as const),
});

/** Runs both, and holds every outcome of one against the other. */
function compare(input: Rows, drawn: Drawn): { preemptions: number; hits: number } {
  // Without chunks a prompt above the budget would wait for ever, in either scheduler.
  const longest = Math.max(...input.map(({ prompt, output }) => prompt + output));
  const fits = drawn.chunked ? drawn : { ...drawn, budget: Math.max(drawn.budget, longest) };
  const result = run(input, fits);
  const plain = runPlainVllmV1(input, { ...fits, stepSeconds: plainSeconds });
  expect(result.metrics.iterations).toBe(plain.steps);
  const { requests, tbt } = result;
  plain.outcomes.forEach(({ first, completed, preemptions, maxStall }, i) => {
    expect(requests.firstTokenSeconds[i]).toBe(first ?? Number.NaN);
    expect(requests.completedSeconds[i]).toBe(completed ?? Number.NaN);
    expect(requests.restarts[i]).toBe(preemptions);
    expect(requests.maxStallSeconds[i]).toBe(maxStall);
  });
  // Every gap between two tokens of a request is told once.
  expect([...tbt.values]).toEqual([...plain.gaps.keys()].sort((a, b) => a - b));
  expect([...tbt.weights]).toEqual([...tbt.values].map((gap) => plain.gaps.get(gap)));
  expect([...(result.lanes[0]?.kvBlocksUsed ?? [])]).toEqual(plain.usedBlocks);
  const hits = plain.outcomes.reduce((sum, each) => sum + (each.hit ?? 0), 0);
  if (fits.caching) expect(result.prefixCache?.hitTokens).toBe(hits);
  const preemptions = plain.outcomes.reduce((sum, each) => sum + each.preemptions, 0);
  return { preemptions, hits };
}

function compareMany(input: fc.Arbitrary<Rows>, drawn: fc.Arbitrary<Drawn>, numRuns: number) {
  const reached = { preemptions: 0, hits: 0 };
  fc.assert(
    fc.property(input, drawn, (each, how) => {
      const { preemptions, hits } = compare(each, how);
      reached.preemptions += preemptions;
      reached.hits += hits;
    }),
    { numRuns, seed: 5 },
  );
  return reached;
}

describe('vLLM V1 against the plain scheduler', () => {
  it('every request starts, ends, hits and is preempted alike', () => {
    const { preemptions, hits } = compareMany(rows(24, 40, 16), options, 400);
    // The drawn cases must reach what they are there for.
    expect(preemptions).toBeGreaterThan(100);
    expect(hits).toBeGreaterThan(1000);
  });

  it('through long stretches of decodes, in memory that suffices or just not', () => {
    const long = fc
      .record({
        // The largest request has 160 tokens.
        slots: fc.integer({ min: 160, max: 1200 }),
        blockTokens: fc.constantFrom(1, 4, 16),
        budget: fc.integer({ min: 4, max: 60 }),
        maxSequences: fc.integer({ min: 1, max: 24 }),
        threshold: fc.constantFrom(0, 0, 5, 12),
        chunked: fc.boolean(),
        reserve: fc.boolean(),
        byPriority: fc.boolean(),
        caching: fc.boolean(),
        depth: fc.constantFrom(1 as const, 2 as const),
      })
      .map(({ slots, ...drawn }) => ({
        ...drawn,
        blocks: Math.ceil(slots / drawn.blockTokens),
      }));
    const { preemptions, hits } = compareMany(rows(120, 160, 20), long, 250);
    expect(preemptions).toBeGreaterThan(50);
    expect(hits).toBeGreaterThan(1000);
  });

  it('with more than one table of requests at once', () => {
    // 100 decodes outgrow every column that begins with 64 places, and run out of memory together.
    const input = Array.from({ length: 100 }, (_, id) =>
      request(id / 64, 5 + (id % 7), 30 + (id % 11), sequence(id % 3 === 0 ? 0 : 1000 * id, 12)),
    );
    for (const depth of [1, 2] as const) {
      const found = compare(input, {
        ...DEFAULTS,
        blocks: 600,
        budget: 128,
        maxSequences: 128,
        depth,
      });
      expect(found.preemptions).toBeGreaterThan(0);
    }
  });
});

describe('rules of vLLM V1, by hand', () => {
  it('splits a prompt over the budget and decodes first', () => {
    const { lanes, requests } = run([request(0, 8, 4), request(0, 20, 1)], DEFAULTS);
    const lane = lanes[0];
    // 8 + 8 of 20 | decode + 12 left of 20 | decodes of the first alone
    expect([...(lane?.prefillTokens ?? [])]).toEqual([16, 12, 0, 0]);
    expect([...(lane?.decodeTokens ?? [])]).toEqual([0, 1, 1, 1]);
    expect(requests.completedSeconds[1]).toBeLessThan(requests.completedSeconds[0] as number);
  });

  it('computes the last token again when the whole prompt is cached', () => {
    const tokens = sequence(1, 12);
    const result = run([request(0, 12, 1, tokens), request(5, 12, 1, tokens)], DEFAULTS);
    // 12 tokens are 3 full blocks; at most 11 tokens may hit, so 2 blocks do.
    expect(result.prefixCache).toEqual({ queriedTokens: 24, hitTokens: 8 });
    expect([...(result.lanes[0]?.prefillTokens ?? [])]).toEqual([12, 4]);
  });

  it('shares blocks between requests of one step, before they are computed', () => {
    const tokens = sequence(1, 8);
    const result = run([request(0, 8, 2, tokens), request(0, 8, 2, tokens)], DEFAULTS);
    expect(result.prefixCache?.hitTokens).toBe(4);
    // 2 blocks and, of the second request, 1 of its own.
    expect(result.lanes[0]?.kvBlocksUsed[0]).toBe(3);
  });

  it('finds answers again in a later turn where their tokens are known', () => {
    const first = sequence(1, 12);
    const result = run(
      [request(0, 6, 6, first), request(9, 16, 1, [...first, 90, 91, 92, 93])],
      DEFAULTS,
    );
    // The last output token is never fed: 11 tokens were computed, 2 full blocks of 4.
    expect(result.prefixCache?.hitTokens).toBe(8);
  });

  it('starts an arrival one step later when it schedules one step ahead', () => {
    const load = [request(0, 4, 12), request(0.125, 4, 1)];
    const now = run(load, DEFAULTS).requests;
    const ahead = run(load, { ...DEFAULTS, depth: 2 }).requests;
    expect(now.completedSeconds[0]).toBe(ahead.completedSeconds[0]);
    const step = seconds(1, 1, 4);
    expect((ahead.firstTokenSeconds[1] as number) - (now.firstTokenSeconds[1] as number)).toBe(
      step,
    );
  });

  it('admits on the first chunk alone unless it reserves the prompt', () => {
    const load = [request(0, 40, 2), request(0, 40, 2)];
    const tight = { ...DEFAULTS, blocks: 14 };
    expect(run(load, tight).metrics.restarts).toBe(0);
    expect(run(load, { ...tight, reserve: false }).metrics.restarts).toBeGreaterThan(0);
  });

  it('refuses what can never fit, and says so', () => {
    const result = run([request(0, 300, 2), request(0, 10, 2)], { ...DEFAULTS, blocks: 50 });
    expect([...result.requests.refused]).toEqual([1, 0]);
    expect(result.notes).toContain(
      '1 requests can never fit in 50 KV blocks and were refused on arrival',
    );
  });
});
