import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { simulate } from '../../../lib/serving/core/simulation';
import { makeCostModel } from '../../../lib/serving/cost/make-cost-model';
import { serveParams } from '../../../lib/spec/kinds/serve';
import { anyComposed, type Row, workloadOf, workloadRows } from './arbitrary-composed';
import { expectTold, kindsOf, traceOf } from './expect-told';

const memory = fc.record({
  kvBlocks: fc.integer({ min: 4, max: 80 }),
  watermark: fc.constantFrom(0, 0.01, 0.1),
  blockTokens: fc.constantFrom(1, 4, 16),
});

describe('the way of a request through the fast engine', () => {
  it('sums to its end-to-end time, in phases that touch and give all of its tokens', () => {
    const seen = new Set<string>();
    const blockers = new Set<string>();
    fc.assert(
      fc.property(anyComposed, workloadRows, memory, fc.nat(), (strategy, rows, m, pick) => {
        const params = serveParams.parse({ strategy, memory: m });
        const workload = workloadOf(rows);
        const result = simulate(params, workload, makeCostModel(params));
        const trace = traceOf({ strategy, memory: m }, workload, pick % rows.length);
        expectTold(trace, result);
        const first = trace.phases.find(({ activity }) => activity.kind === 'prefill');
        if (first !== undefined)
          expect(first.startSeconds).toBe(result.requests.firstScheduledSeconds[trace.id]);
        for (const { activity } of trace.phases) {
          seen.add(activity.kind);
          if (activity.kind !== 'queued') continue;
          expect(activity.blocker).toBeDefined();
          blockers.add(activity.blocker?.type ?? 'none');
        }
      }),
      { numRuns: 400 },
    );
    for (const kind of 'iteration queued prefill decode stalled transfer'.split(' '))
      expect(seen, kind).toContain(kind);
    for (const type of 'seats blocks reservation budget phase'.split(' '))
      expect(blockers, type).toContain(type);
  });
});

describe('the way of a request through vLLM V1', () => {
  const strategies = fc.record({
    type: fc.constant('vllm-v1' as const),
    replicas: fc.integer({ min: 1, max: 3 }),
    maxBatchedTokens: fc.integer({ min: 8, max: 100 }),
    maxSequences: fc.integer({ min: 1, max: 12 }),
    longPrefillTokens: fc.constantFrom(0, 16),
    chunkedPrefill: fc.boolean(),
    reservePrompt: fc.boolean(),
    asyncScheduling: fc.boolean(),
    frontEndMilliseconds: fc.constantFrom(0, 5),
    stepBoundaryMicroseconds: fc.constantFrom(0, 200),
  });
  it('sums to its end-to-end time, in phases that touch and give all of its tokens', () => {
    const seen = new Set<string>();
    const blockers = new Set<string>();
    fc.assert(
      fc.property(strategies, workloadRows, memory, fc.nat(), (strategy, rows, m, pick) => {
        const params = serveParams.parse({ strategy, memory: m });
        const workload = workloadOf(rows);
        const result = simulate(params, workload, makeCostModel(params));
        const trace = traceOf({ strategy, memory: m }, workload, pick % rows.length);
        expectTold(trace, result);
        for (const { activity } of trace.phases) {
          seen.add(activity.kind);
          if (activity.kind === 'queued') blockers.add(activity.blocker?.type ?? 'none');
        }
      }),
      { numRuns: 400 },
    );
    for (const kind of 'front-end iteration boundary queued prefill decode'.split(' '))
      expect(seen, kind).toContain(kind);
    for (const type of 'seats blocks budget preempting'.split(' '))
      expect(blockers, type).toContain(type);
    expect(blockers).not.toContain('none');
  });
});

describe('reasons', () => {
  const rows = (...each: Row[]) => workloadOf(each);
  const alone = { memory: { kvBlocks: 40, blockTokens: 16, watermark: 0 } };

  it('says that a seat is missing, and behind whom', () => {
    const strategy = { type: 'sarathi', maxSequences: 1 };
    const load = rows([0, 64, 20, 0], [0, 64, 20, 0], [0, 64, 20, 0]);
    const second = traceOf({ strategy, ...alone }, load, 1).phases[0]?.activity;
    expect(second).toMatchObject({
      kind: 'queued',
      blocker: { type: 'seats', taken: 1, limit: 1 },
      behind: undefined,
    });
    const third = traceOf({ strategy, ...alone }, load, 2);
    expect(third.phases[0]?.activity).toMatchObject({ kind: 'queued', behind: 1, waiting: 2 });
    expect(third.phases[1]?.activity).toMatchObject({ kind: 'queued', behind: undefined });
  });

  it('counts the blocks that are missing', () => {
    const load = rows([0, 480, 20, 0], [0, 320, 20, 0]);
    const trace = traceOf({ strategy: { type: 'vllm' }, ...alone }, load, 1);
    const waits = trace.phases.filter(({ activity }) => activity.kind === 'queued');
    expect(waits.at(-1)?.activity).toMatchObject({
      blocker: { type: 'blocks', needed: 20, free: 10, total: 40, holders: 1 },
    });
  });

  it('tells the rule that looks ahead from blocks that are missing now', () => {
    const strategy = { type: 'composed', admission: { type: 'future-peak' } };
    const load = rows([0, 160, 300, 0], [0, 160, 300, 0]);
    const trace = traceOf({ strategy, ...alone }, load, 1);
    expect(trace.phases[0]?.activity).toMatchObject({
      kind: 'queued',
      blocker: { type: 'future-peak', total: 40 },
    });
  });

  it('says that a prompt under way waits out the patience of the former', () => {
    const strategy = {
      type: 'composed',
      batchFormer: { type: 'prefill-first', maxBatchedTokens: 64, counting: 'sum', patience: 2 },
    };
    const trace = traceOf({ strategy, ...alone }, rows([0, 32, 20, 0], [0, 200, 5, 0]), 1);
    const paused = trace.phases.find(({ activity }) => activity.kind === 'paused');
    expect(paused?.activity).toMatchObject({ blocker: { type: 'phase', rule: 'patience' } });
  });

  it('tells a busy link from the transfer itself', () => {
    const topology = { type: 'pools', prefillReplicas: 2, linkGigabytesPerSecond: 1 };
    const strategy = { type: 'composed', topology };
    const trace = traceOf({ strategy, ...alone }, rows([0, 64, 9, 0], [0, 64, 9, 0]), 1);
    expect(kindsOf(trace)).toEqual(['prefill', 'link', 'transfer', 'iteration', 'decode']);
    expect(trace.phases[1]?.activity).toEqual({ kind: 'link', ahead: 1 });
    expect(trace.phases[2]?.activity).toEqual({ kind: 'transfer', kvTokens: 64 });
    expect(trace.phases.map(({ lane }) => lane)).toEqual([1, 3, 3, 2, 2]);
  });

  it('tells a prompt cut by the token budget, chunk by chunk', () => {
    const strategy = { type: 'sarathi', tokenBudget: 64 };
    const trace = traceOf({ strategy, ...alone }, rows([0, 150, 3, 0]), 0);
    expect(kindsOf(trace)).toEqual(['prefill', 'prefill', 'prefill', 'decode']);
    expect(
      trace.phases.map(({ activity }) => (activity.kind === 'prefill' ? activity.context : -1)),
    ).toEqual([0, 64, 128, -1]);
  });

  it('names the victim of memory, and for whom', () => {
    const strategy = { type: 'vllm' };
    const load = rows([0, 304, 60, 0], [0, 304, 60, 0]);
    const trace = traceOf({ strategy, ...alone }, load, 1);
    expect(trace.preemptions[0]).toMatchObject({ cause: 'memory', by: 0, isSwap: false });
    const again = trace.phases.find(
      ({ activity }) => activity.kind === 'queued' && activity.isAgain,
    );
    expect(again?.startSeconds).toBe(trace.preemptions[0]?.atSeconds);
  });

  it('tells how a prompt waits for the decode side of DistServe, and for the link', () => {
    const strategy = { type: 'distserve', prefillReplicas: 1, decodeReplicas: 1 };
    const trace = traceOf({ strategy }, rows([0, 64, 20, 0], [0, 64, 20, 0]), 1);
    expect(new Set(kindsOf(trace))).toEqual(
      new Set(['prefill', 'link', 'transfer', 'iteration', 'decode']),
    );
    expect(trace.phases.at(-1)?.endSeconds).toBe(trace.endSeconds);
  });

  it('brings a swapped request back where only the watermark is missing', () => {
    const strategy = {
      type: 'composed',
      admission: { type: 'fits', maxSequences: 2 },
      batchFormer: { type: 'iteration-level' },
      preemption: { type: 'swap', victim: 'last-admitted', hostGigabytesPerSecond: 0.01 },
    };
    const memory = { kvBlocks: 53, watermark: 0.1, blockTokens: 1 };
    const load = rows([0, 1, 2, 0], [0, 51, 2, 0], [0, 1, 1, 0]);
    const trace = traceOf({ strategy, memory }, load, 1);
    expect(kindsOf(trace)).toEqual(['prefill', 'swapped', 'decode']);
    expect(trace.preemptions).toMatchObject([{ cause: 'memory', by: undefined, isSwap: true }]);
  });

  it('refuses a request that the workload does not have', () => {
    expect(() => traceOf({ strategy: { type: 'vllm' } }, rows([0, 1, 1, 0]), 1)).toThrow(
      'invalid request: 1 (expected 0..0)',
    );
  });
});
