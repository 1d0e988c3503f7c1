import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { simulate } from '../../../lib/serving/core/simulation';
import { makeCostModel } from '../../../lib/serving/cost/make-cost-model';
import { activityText, traceSummary } from '../../../lib/serving/trace/sentences';
import { traceSums } from '../../../lib/serving/trace/sums';
import { serveParams } from '../../../lib/spec/kinds/serve';
import type { ComposedStrategy } from '../../../lib/spec/kinds/serve-parts';
import type { Workload } from '../../../lib/workload/types';
import { cached } from './arbitrary-cached';
import { alikeComposed, workloadOf, workloadRows } from './arbitrary-composed';
import { programs, programWorkload } from './arbitrary-programs';
import { layered, partitioned, pausing } from './arbitrary-shared';
import { expectTold, kindsOf, traceOf } from './expect-told';

const memory = fc.record({
  kvBlocks: fc.integer({ min: 8, max: 120 }),
  watermark: fc.constantFrom(0, 0.01, 0.1),
  blockTokens: fc.constantFrom(4, 16),
});
const someRows = workloadRows.map(workloadOf);
const somePrograms = programs.map(programWorkload);

function tells(strategies: fc.Arbitrary<ComposedStrategy>, loads: fc.Arbitrary<Workload>): void {
  fc.assert(
    fc.property(strategies, loads, memory, fc.nat(), (strategy, workload, m, pick) => {
      const params = serveParams.parse({ strategy, memory: m });
      const result = simulate(params, workload, makeCostModel(params));
      const trace = traceOf({ strategy, memory: m }, workload, pick % workload.promptTokens.length);
      expectTold(trace, result);
      for (const { activity } of trace.phases) {
        if (activity.kind === 'queued') expect(activity.blocker).toBeDefined();
        expect(activityText(activity)).not.toMatch(/undefined|NaN/);
      }
      const { groups } = traceSums(trace);
      expect(Object.values(groups).reduce((a, b) => a + b, 0)).toBeCloseTo(
        trace.endSeconds - trace.arrivalSeconds,
        9,
      );
    }),
    { numRuns: 150 },
  );
}

describe('the way of a request through the general engine sums to its time, in phases that touch', () => {
  it('for programs under any parts', () => tells(alikeComposed, somePrograms));
  it('with caches, tiers, repair, asking routers and early rejection', () =>
    tells(cached, somePrograms));
  it('with prompts in sets through groups of layers', () => tells(layered, someRows));
  it('with phases that share an accelerator', () => tells(partitioned, someRows));
  it('with prompts that stop for more urgent ones', () => tells(pausing, someRows));
});

describe('reasons of the general engine', () => {
  const params = (more: object, kvBlocks = 400) => ({
    strategy: { type: 'composed', ...more },
    memory: { kvBlocks, blockTokens: 16, watermark: 0 },
  });
  const oneProgram = programWorkload([
    {
      start: 0,
      system: 0,
      forks: false,
      turns: [
        { own: 40, output: 9, gap: 0 },
        { own: 20, output: 5, gap: 0.3 },
      ],
    },
  ]);

  it('a turn is told its tool gap, and what a cache had of it', () => {
    const trace = traceOf(params({ prefixIndex: { type: 'block-hash' } }), oneProgram, 1);
    expect(trace.origin).toMatchObject({ after: 0, gapSeconds: 0.3 });
    expect(trace.arrivalSeconds).toBe((trace.origin?.endedSeconds ?? 0) + 0.3);
    expect(trace.phases[0]?.activity).toMatchObject({ kind: 'prefill', reusedTokens: 96 });
    expect(traceSummary(trace, (seconds) => `${seconds} s`)).toMatch(
      /^request 1, sent 0.3 s after request 0 had ended, took .* s; it never waited$/,
    );
  });

  it('a request that was never sent says so', () => {
    const turns = [
      { own: 40, output: 9, gap: 0 },
      { own: 20, output: 5, gap: 3 },
      { own: 20, output: 5, gap: 3 },
    ];
    const load = programWorkload([{ start: 0, system: 0, forks: false, turns }]);
    for (const id of [1, 2]) {
      const trace = traceOf({ ...params({}), horizonSeconds: 2 }, load, id);
      expect(trace).toMatchObject({ end: 'unsent', phases: [] });
      expect(traceSummary(trace, String)).toBe(
        `request ${id} had not been sent when the run ended`,
      );
    }
  });

  it('a load waits for its own turn at a slow store, behind the read of another', () => {
    const turns = (own: number) => ({
      start: 0,
      system: 2,
      forks: false,
      turns: [
        { own, output: 5, gap: 0 },
        { own: 9, output: 5, gap: 1 },
      ],
    });
    const level = { scope: 'shared', name: 'DRAM', capacityGigabytes: 1 };
    const tierStore = {
      type: 'tiers',
      load: 'always',
      overlap: 'none',
      write: 'through',
      levels: [{ ...level, readGigabytesPerSecond: 0.1, writeGigabytesPerSecond: 100 }],
    };
    const topology = { type: 'colocated', replicas: 2 };
    const strategy = params({ prefixIndex: { type: 'block-hash' }, tierStore, topology }, 20);
    const load = programWorkload([turns(200), turns(200), turns(200), turns(200)]);
    const traces = [4, 5, 6, 7].map((id) => traceOf(strategy, load, id));
    const seen = new Set(traces.flatMap(kindsOf));
    expect(seen).toContain('fetch');
    expect(seen).toContain('fetch-queue');
    const fetched = traces
      .flatMap(({ phases }) => phases)
      .find(({ activity }) => activity.kind === 'fetch');
    // After two replicas come the reads and the writes of the store.
    expect(fetched?.lane).toBe(2);
    expect(activityText(fetched?.activity as never)).toMatch(
      /^KV of \d+ tokens is read from DRAM$/,
    );
  });

  it('a prompt is stopped for one with less time to spare, and goes on', () => {
    const strategy = params({
      topology: { type: 'pools', prefillReplicas: 1 },
      priority: { type: 's-edf', baseSeconds: 0.05, secondsPerPromptToken: 0.001 },
      chunker: { type: 'whole' },
      preemption: { type: 'pause-at-operator', operatorMilliseconds: 1 },
    });
    const load = workloadOf([
      [0, 3000, 2, 0],
      [0.02, 16, 2, 0],
    ]);
    const long = traceOf(strategy, load, 0);
    expect(kindsOf(long).slice(0, 3)).toEqual(['prefill', 'stopped', 'prefill']);
    expect(long.phases[0]?.activity).toMatchObject({ isCut: true, isLast: false });
    expect(long.phases[1]?.activity).toMatchObject({ by: 1 });
    expect(long.phases[2]?.activity).toMatchObject({ isResumed: true, isLast: true });
    expect(traceSums(long).reasons.map(({ reason }) => reason)).toContain('more urgent prompts');
  });

  it('a prompt waits for a set that is on its way through the layers', () => {
    const strategy = params({
      batchFormer: { type: 'iteration-level' },
      chunker: { type: 'layer-group', maxTokens: 2048 },
    });
    const load = workloadOf([
      [0, 1500, 3, 0],
      [0.01, 64, 3, 0],
    ]);
    const first = traceOf(strategy, load, 0);
    const groups = first.phases.filter(({ activity }) => activity.kind === 'prefill');
    expect(groups.length).toBeGreaterThan(1);
    expect(groups.at(-1)?.activity).toMatchObject({
      layers: { group: groups.length },
      isLast: true,
    });
    const second = traceOf(strategy, load, 1);
    expect(second.phases[1]?.activity).toMatchObject({ blocker: { type: 'layer-set' } });
  });

  it('a phase knows what it lost to the other phase of the accelerator', () => {
    const strategy = params({ partition: { type: 'static', prefillShare: 0.5, decodeShare: 0.5 } });
    const load = workloadOf([
      [0, 64, 200, 0],
      [0.1, 2000, 2, 0],
    ]);
    const second = traceOf(strategy, load, 1).phases.find(
      ({ activity }) => activity.kind === 'prefill',
    );
    const slowed = second?.activity.kind === 'prefill' ? second.activity.slowedSeconds : undefined;
    const seconds = (second?.endSeconds ?? 0) - (second?.startSeconds ?? 0);
    expect(slowed).toBeCloseTo(seconds / 2, 1);
    expect(activityText(second?.activity as never)).toContain('longer for the SMs');
  });

  it('reused chunks say how many of their tokens are computed again', () => {
    const strategy = params({
      prefixIndex: { type: 'chunk', chunkTokens: 16 },
      reuseRepair: { type: 'fraction', fraction: 0.25 },
    });
    const trace = traceOf(strategy, oneProgram, 1);
    const prefill = trace.phases[0]?.activity;
    expect(prefill).toMatchObject({ kind: 'prefill', repairTokens: 16 });
    expect(activityText(prefill as never)).toContain('(16 of them repair reused chunks)');
  });

  it('a request waits in front of replicas that take nobody, until it is turned away', () => {
    const strategy = (timeoutSeconds: number) =>
      params({
        admission: { type: 'fits', maxSequences: 1 },
        router: { type: 'reject-retry', maxWaiting: 1, retryMilliseconds: 5, timeoutSeconds },
      });
    const load = workloadOf([
      [0, 64, 50, 0],
      [0, 64, 50, 0],
      [0, 64, 50, 0],
    ]);
    const patient = traceOf(strategy(1000), load, 2);
    expect(patient.phases[0]?.activity).toEqual({ kind: 'outside' });
    expect(patient.end).toBe('completed');
    const refused = traceOf(strategy(0.02), load, 2);
    expect(refused.end).toBe('refused');
    expect(refused.endSeconds).toBeCloseTo(0.02, 9);
    expect(traceSummary(refused, (seconds) => `${seconds} s`)).toBe(
      'request 2 was taken by no replica in time and was refused after 0.02 s',
    );
  });

  it('a refusal gives its figures, and takes the turns after it along', () => {
    const trace = traceOf(params({}, 4), oneProgram, 0);
    expect(traceSummary(trace, String)).toBe(
      'request 0 needs 6 KV blocks and 1 free beside them, of 4 in all, and was refused on arrival',
    );
    expect(traceSummary(traceOf(params({}, 4), oneProgram, 1), String)).toBe(
      'request 1 comes of request 0, which was refused, and was refused on arrival',
    );
  });
});
