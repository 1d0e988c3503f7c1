import { describe, expect, it } from 'vitest';
import { sessionLoad } from '../../../lib/serving/checks/session-load';
import {
  computedAgain,
  toolAgents,
  workingSetTokens,
} from '../../../lib/serving/checks/tool-agents';
import { simulate } from '../../../lib/serving/core/simulation';
import { makeCostModel } from '../../../lib/serving/cost/make-cost-model';
import { router } from '../../../lib/serving/parts/router';
import { pinSeconds } from '../../../lib/serving/parts/ttl';
import { returnChance, workflowVictim } from '../../../lib/serving/parts/workflow-lru';
import { serveParams } from '../../../lib/spec/kinds/serve';
import { evictionPart } from '../../../lib/spec/kinds/serve-eviction';
import { routerPart } from '../../../lib/spec/kinds/serve-parts';

const session = (more: object = {}) => ({
  lastEndSeconds: 0,
  isOver: false,
  isBack: false,
  gapsSeconds: [1, 2, 30],
  ...more,
});

describe('which session goes', () => {
  it('the chance to be back counts gaps that are longer than this one is already', () => {
    const part = { soonSeconds: 10, coldGaps: 3 };
    expect(returnChance(part, session(), 0)).toBeCloseTo(3 / 5, 12);
    expect(returnChance(part, session(), 5)).toBeCloseTo(1 / 3, 12);
    expect(returnChance(part, session(), 25)).toBeCloseTo(2 / 3, 12);
    expect(returnChance(part, session({ isOver: true }), 0)).toBe(0);
    expect(returnChance(part, session({ isBack: true }), 0)).toBe(1);
    expect(returnChance({ ...part, coldGaps: 4 }, session(), 0)).toBe(0.5);
  });

  it('the oldest, the least likely and the largest, each by its weight', () => {
    const block = (owner: number, startTokens: number) => ({
      content: owner,
      startTokens,
      tokens: 16,
      uses: 1,
      createdOrder: owner,
      releasedOrder: owner,
      owner,
    });
    const views = [
      session({ lastEndSeconds: 0, isBack: true }),
      session({ lastEndSeconds: 90, isOver: true }),
      session({ lastEndSeconds: 80, isBack: true }),
    ];
    const all = [block(0, 0), block(1, 16), block(2, 160)];
    const goes = (weights: object) =>
      workflowVictim(
        evictionPart.parse({ type: 'workflow-lru', ...weights }) as Parameters<
          typeof workflowVictim
        >[0],
        { nowSeconds: () => 100, session: (owner) => views[owner] as ReturnType<typeof session> },
      )(all)?.owner;
    expect(goes({ ageWeight: 1, reuseWeight: 0, sizeWeight: 0 })).toBe(0);
    expect(goes({ ageWeight: 0, reuseWeight: 1, sizeWeight: 0 })).toBe(1);
    expect(goes({ ageWeight: 0, reuseWeight: 0, sizeWeight: 1 })).toBe(2);
    expect(goes({})).toBe(1);
  });

  it('a pin is a quantile of its tool, shorter as memory fills up', () => {
    const pin = pinSeconds(evictionPart.parse({ type: 'tool-ttl', coldStartSeconds: 3 }));
    const view = {
      reloadSeconds: 1,
      queueSeconds: 1,
      relativeSize: 1,
      gapsSeconds: [],
      toolGapsSeconds: Array.from({ length: 20 }, (_, i) => i + 1),
      usedShare: 0.5,
    };
    expect(pin(view)).toBe(19);
    expect(pin({ ...view, usedShare: 0.8 })).toBeCloseTo(9.5, 9);
    expect(pin({ ...view, usedShare: 0.95 })).toBe(0);
    expect(pin({ ...view, toolGapsSeconds: [1] })).toBe(3);
  });
});

describe('where a session goes', () => {
  it('to its replica, unless that is full by loads that may be old', () => {
    const route = router(
      routerPart.parse({ type: 'affinity-steal', mostLoad: 3, refreshMilliseconds: 100 }),
    );
    const go = (loads: readonly number[], session: number, nowSeconds: number) =>
      route(loads.map((outstanding) => ({ outstanding })) as never, 0, {
        session,
        nowSeconds,
        promptTokens: 1,
        cachedTokens: () => 0,
        waiting: () => 0,
        queueSeconds: () => 0,
        prefillSeconds: () => 0,
      });
    expect(go([1, 0, 2], 7, 0)).toBe(1);
    expect(go([0, 2, 0], 7, 1)).toBe(1);
    // Not looked at again yet: two are thought to be there.
    expect(go([0, 9, 0], 7, 1.05)).toBe(1);
    expect(go([0, 9, 0], 7, 1.2)).toBe(0);
    expect(go([2, 0, 0], 7, 2)).toBe(0);
  });

  const load = sessionLoad(
    [
      { startSeconds: 0, turns: [{ ownTokens: 3000, outputTokens: 400, gapSeconds: 0 }] },
      {
        startSeconds: 0.01,
        turns: [
          { ownTokens: 4000, outputTokens: 100, gapSeconds: 0 },
          { ownTokens: 100, outputTokens: 100, gapSeconds: 0.2 },
        ],
      },
      { startSeconds: 0.02, turns: [{ ownTokens: 4000, outputTokens: 800, gapSeconds: 0 }] },
    ],
    100,
  );
  const run = (router: object) => {
    const params = serveParams.parse({
      memory: { blockTokens: 100 },
      strategy: {
        type: 'composed',
        topology: { type: 'colocated', replicas: 2 },
        admission: { type: 'watermark', maxSequences: 1 },
        prefixIndex: { type: 'block-hash' },
        router,
      },
    });
    return simulate(params, load, makeCostModel(params));
  };

  it('an idle replica takes over, with the KV where moving is faster', () => {
    const stays = run({ type: 'affinity-steal', stealRatio: 0 });
    expect(stays.notes.join()).not.toContain('taken over');
    const quick = run({ type: 'affinity-steal', stealRatio: 1, linkGigabytesPerSecond: 1000 });
    const slow = run({ type: 'affinity-steal', stealRatio: 1, linkGigabytesPerSecond: 0.01 });
    for (const each of [quick, slow]) expect(each.notes.join()).toContain('taken over');
    expect(quick.metrics.e2eSeconds.mean).toBeLessThan(stays.metrics.e2eSeconds.mean);
    expect(slow.lanes.some(({ label }) => label.startsWith('sessions to'))).toBe(false);
  });
});

describe('agents in a memory of part of their working set', () => {
  const agents = {
    sessions: 12,
    perSecond: 0.5,
    leastSteps: 4,
    mostSteps: 9,
    firstTokens: 300,
    stepTokens: 75,
    outputTokens: 25,
  };
  const load = sessionLoad(toolAgents(3, agents), 25);
  const { offsets } = load.programs as NonNullable<typeof load.programs>;
  const own = (id: number) => (offsets[id] === offsets[id + 1] ? undefined : agents.stepTokens);
  const run = (kvBlocks: number, eviction: object) => {
    const params = serveParams.parse({
      memory: { kvBlocks, blockTokens: 25 },
      strategy: { type: 'composed', prefixIndex: { type: 'block-hash' }, eviction },
    });
    return simulate(params, load, makeCostModel(params));
  };

  it('where all fits nothing is computed again; less memory means more of it, least under the oracle', () => {
    const whole = run(100_000, { type: 'lru' });
    expect(computedAgain(whole, own, 25)).toBe(0);
    const blocks = Math.round((0.4 * workingSetTokens(whole)) / 25);
    const again = (type: string) => computedAgain(run(blocks, { type }), own, 25);
    const oracle = again('belady');
    expect(oracle).toBeGreaterThan(0);
    for (const type of ['lru-heads', 'lru', 'workflow-lru'])
      expect(again(type)).toBeGreaterThanOrEqual(oracle);
    expect(again('lru-heads')).toBeGreaterThan(again('lru'));
  });
});
