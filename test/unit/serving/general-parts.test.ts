import { describe, expect, it } from 'vitest';
import { checkComposition } from '../../../lib/serving/compose/check-composition';
import { simulate } from '../../../lib/serving/core/simulation';
import { makeCostModel } from '../../../lib/serving/cost/make-cost-model';
import { eviction } from '../../../lib/serving/parts/eviction';
import { liveQueue } from '../../../lib/serving/parts/live-queue';
import { type RouteQuestion, router } from '../../../lib/serving/parts/router';
import { pinSeconds } from '../../../lib/serving/parts/ttl';
import type { InstanceView } from '../../../lib/serving/parts/views';
import { serveParams } from '../../../lib/spec/kinds/serve';
import { evictionPart } from '../../../lib/spec/kinds/serve-eviction';
import { composedStrategy, routerPart } from '../../../lib/spec/kinds/serve-parts';
import { priorityPart } from '../../../lib/spec/kinds/serve-priority';
import { programWorkload } from './arbitrary-programs';

describe('routers that ask', () => {
  const views = (outstanding: readonly number[], kept: readonly number[] = []) =>
    outstanding.map((each, i) => ({
      outstanding: each,
      keptBlocks: kept[i] ?? 0,
    })) as never as readonly InstanceView[];
  const question = (
    cached: readonly number[],
    more: Partial<RouteQuestion> = {},
  ): RouteQuestion => ({
    promptTokens: 100,
    cachedTokens: (i) => cached[i] as number,
    waiting: () => 0,
    queueSeconds: () => 0,
    prefillSeconds: (hit) => (100 - hit) / 100,
    nowSeconds: 0,
    session: 0,
    ...more,
  });

  it('go to the cached prefix, else to free memory, else to the least load', () => {
    const route = router(routerPart.parse({ type: 'prefix-affinity' }));
    expect(route(views([5, 9, 0]), 0, question([10, 80, 20]))).toBe(1);
    expect(route(views([5, 9, 0], [7, 3, 4]), 0, question([10, 50, 20]))).toBe(1);
    expect(route(views([5, 40, 0]), 0, question([10, 80, 20]))).toBe(2);
  });

  it('weigh the queue against what is cached', () => {
    const route = router(routerPart.parse({ type: 'least-ttft' }));
    const queues = [0.2, 0.5, 0];
    const seconds = (cached: readonly number[]) =>
      question(cached, { queueSeconds: (i) => queues[i] as number });
    expect(route(views([0, 0, 0]), 0, seconds([50, 90, 0]))).toBe(1);
    expect(route(views([0, 0, 0]), 0, seconds([90, 90, 0]))).toBe(0);
  });

  it('send a request away where every queue is full', () => {
    const route = router(routerPart.parse({ type: 'reject-retry', maxWaiting: 2 }));
    const full = (waiting: readonly number[]) =>
      question([0, 0, 0], { waiting: (i) => waiting[i] as number });
    expect(route(views([0, 0, 0]), 0, full([2, 1, 2]))).toBe(1);
    expect(route(views([0, 0, 0]), 0, full([2, 2, 3]))).toBe(-1);
  });
});

/** Nobody has begun, and nothing has limits of its own. */
const nothingYet = {
  emittedTokens: () => 0,
  firstTokenSeconds: () => Number.NaN,
  isOver: () => false,
  urgency: () => 0,
  limits: undefined,
};

describe('orders that change while requests wait', () => {
  const prefillTokens = Int32Array.of(100, 100, 50, 10);
  const requests = {
    arrivalSeconds: Float64Array.of(0, 1, 2, 3),
    prefillTokens,
    totalTokens: prefillTokens,
    clientIds: new Int32Array(4),
  };
  const live = { now: 0, cached: [0, 60, 50, 0], service: [900, 0, 399, 5000] };
  const drain = (part: object): number[] => {
    const queue = liveQueue(priorityPart.parse(part) as never, requests, {
      ...nothingYet,
      nowSeconds: () => live.now,
      cachedTokens: (id) => live.cached[id] as number,
      serviceTokens: (id) => live.service[id] as number,
      prefillSeconds: (id) => (prefillTokens[id] as number) / 100,
    });
    for (const id of [3, 1, 0, 2]) queue.arrive(id, 0);
    return Array.from({ length: 4 }, () => queue.pop(0));
  };

  it('follow their rules', () => {
    expect(drain({ type: 'lpm' })).toEqual([1, 2, 0, 3]);
    // While three or more wait, by arrival; then by the prefix.
    expect(drain({ type: 'lpm', fcfsAbove: 2 })).toEqual([0, 1, 2, 3]);
    expect(drain({ type: 'hit-ratio' })).toEqual([2, 1, 0, 3]);
    expect(drain({ type: 'las', binTokens: 400 })).toEqual([1, 2, 0, 3]);
    expect(drain({ type: 'mlfq', baseTokens: 1000, levels: 3 })).toEqual([0, 1, 2, 3]);
    // Deadlines 1.5, 2.5, 3 and 3.6; at 1.2 s the first is beyond reach.
    live.now = 1.2;
    const part = { type: 's-edf', baseSeconds: 0.5, secondsPerPromptToken: 0.01 };
    expect(drain(part)).toEqual([1, 2, 3, 0]);
    live.now = 5;
    expect(drain(part)).toEqual([3, 2, 1, 0]);
  });

  it('density: worth per second of work left, less for what would be late', () => {
    const totals = Int32Array.of(250, 110, 60, 20);
    const order = (now: number, outputWeight: number, penalty: number) => {
      const part = { type: 'density', ttftSeconds: 2, tokenSeconds: 0.1, decodeSeconds: 0.1 };
      const queue = liveQueue(
        priorityPart.parse({ ...part, outputWeight, penalty }) as never,
        { ...requests, totalTokens: totals },
        {
          ...nothingYet,
          nowSeconds: () => now,
          cachedTokens: () => 0,
          serviceTokens: () => 0,
          prefillSeconds: (id) => (prefillTokens[id] as number) / 100,
        },
      );
      for (const id of [3, 1, 0, 2]) queue.arrive(id, 0);
      return Array.from({ length: 4 }, () => queue.pop(0));
    };
    // All in time: worth 100, 100, 50 and 10 over 16, 2, 1.5 and 1.1 s.
    expect(order(0, 0, 1)).toEqual([1, 2, 3, 0]);
    // With outputs 12100, 900, 850 and 810 over the same.
    expect(order(0, 80, 1)).toEqual([0, 3, 2, 1]);
    // First tokens 5, 4, 2.5 and 1.1 s after the arrival where 2 are allowed: 6.4, 12.5, 25.6 and 10.
    expect(order(4, 0, 3)).toEqual([2, 3, 1, 0]);
  });
});

describe('what is kept', () => {
  it('greedy-dual weighs uses and cost, and ages by its victims', () => {
    const order = eviction(evictionPart.parse({ type: 'gdsf' }), {
      recomputeSeconds: (start, tokens) => (start + tokens) * 1e-3,
      nextUse: () => Infinity,
      nowSeconds: () => 0,
      session: () => ({ lastEndSeconds: 0, isOver: false, isBack: false, gapsSeconds: [] }),
    });
    const block = {
      content: 1,
      startTokens: 0,
      tokens: 10,
      uses: 1,
      createdOrder: 1,
      releasedOrder: 1,
      owner: 0,
    };
    expect(order.key(block)).toBeCloseTo(0.01, 12);
    expect(order.key({ ...block, uses: 3, startTokens: 20 })).toBeCloseTo(0.09, 12);
    order.onEvicted(0.05);
    expect(order.key(block)).toBeCloseTo(0.06, 12);
  });

  it('the pin that pays best is one of the gaps seen, and none where memory costs more', () => {
    const pin = pinSeconds(evictionPart.parse({ type: 'utility-ttl', coldStartSeconds: 3 }));
    const gapsSeconds = [...Array.from({ length: 19 }, () => 0.5), 20];
    const more = { toolGapsSeconds: [], usedShare: 0 };
    const view = { reloadSeconds: 1, queueSeconds: 1, relativeSize: 1, gapsSeconds, ...more };
    // 19 of 20 are back in 0.5 s: 0.95 x 2 - 0.5; to wait for the last one costs 20.
    expect(pin(view)).toBe(0.5);
    expect(pin({ ...view, relativeSize: 10 })).toBe(0);
    expect(pin({ ...view, reloadSeconds: 1000 })).toBe(20);
    expect(pin({ ...view, gapsSeconds: [1] })).toBe(3);
  });

  it('a pinned turn is still there when its program comes back, where age alone would have let it go', () => {
    const programs = [
      {
        start: 0,
        system: 0,
        forks: false,
        turns: [
          { own: 60, output: 4, gap: 0 },
          { own: 4, output: 4, gap: 2 },
        ],
      },
      { start: 0.8, system: 1, forks: false, turns: [{ own: 12, output: 4, gap: 0 }] },
      { start: 1.4, system: 2, forks: false, turns: [{ own: 12, output: 4, gap: 0 }] },
    ];
    const hits = (part: object) => {
      const params = serveParams.parse({
        strategy: { type: 'composed', prefixIndex: { type: 'block-hash' }, eviction: part },
        memory: { kvBlocks: 50, blockTokens: 4, watermark: 0 },
      });
      const { requests } = simulate(params, programWorkload(programs), makeCostModel(params));
      const second = requests.promptTokens.indexOf(48 + 60 + 4 + 4);
      return requests.hitTokens?.[second] ?? Number.NaN;
    };
    // 28 blocks, then 16 and 16 more: the third does not fit beside what the two have left of 50.
    expect(hits({ type: 'ttl', seconds: 10 })).toBe(108);
    expect(hits({ type: 'ttl', seconds: 0.1 })).toBeLessThan(108);
    expect(hits({ type: 'lru' })).toBeLessThan(108);
  });
});

describe('parts that contradict each other', () => {
  it.each([
    [{ eviction: { type: 'lfu' } }, 'invalid eviction: "lfu"'],
    [{ router: { type: 'prefix-affinity' } }, 'invalid router: "prefix-affinity"'],
    [{ priority: { type: 'lpm' } }, 'invalid priority: "lpm"'],
    [{ tierStore: { type: 'tiers' } }, 'invalid tierStore: "tiers"'],
    [{ prefixIndex: { type: 'chunk' } }, 'invalid reuseRepair: "exact"'],
    [
      { prefixIndex: { type: 'radix' }, reuseRepair: { type: 'fraction' } },
      'invalid reuseRepair: "fraction"',
    ],
    [
      { prefixIndex: { type: 'radix' }, kvAlloc: { type: 'contiguous-max' } },
      'invalid kvAlloc: "contiguous-max"',
    ],
    [
      { prefixIndex: { type: 'radix' }, eviction: { type: 'ttl' }, topology: { type: 'pools' } },
      'invalid eviction: "ttl"',
    ],
    [
      {
        prefixIndex: { type: 'radix' },
        tierStore: { type: 'tiers', levels: [{ scope: 'shared' }, { scope: 'replica' }] },
      },
      'invalid tierStore: a level',
    ],
  ])('%j says so in one sentence', (parts, sentence) => {
    const problem = checkComposition(composedStrategy.parse({ type: 'composed', ...parts }));
    expect(problem?.startsWith(sentence)).toBe(true);
    expect(problem).not.toContain('\n');
  });
});
