import { describe, expect, it } from 'vitest';
import { chromeTraceChunks } from '../../../lib/serving/chrome/chrome-trace';
import { simulate } from '../../../lib/serving/core/simulation';
import { makeCostModel } from '../../../lib/serving/cost/make-cost-model';
import type { RequestTrace } from '../../../lib/serving/trace/types';
import type { ServeResult } from '../../../lib/serving/types';
import { serveParams } from '../../../lib/spec/kinds/serve';
import type { Workload } from '../../../lib/workload/types';
import { workloadOf } from './arbitrary-composed';
import { programWorkload } from './arbitrary-programs';
import { traceOf } from './expect-told';

interface TraceEvent {
  readonly ph: string;
  readonly name: string;
  readonly pid: number;
  readonly tid?: number;
  readonly ts: number;
  readonly dur?: number;
  readonly id?: number | string;
  readonly cat?: string;
  readonly args?: Readonly<Record<string, unknown>>;
}

interface Exported {
  readonly events: readonly TraceEvent[];
  readonly metadata: Readonly<Record<string, unknown>>;
}

const level = { scope: 'shared', name: 'DRAM', capacityGigabytes: 1 };
const levels = [{ ...level, readGigabytesPerSecond: 20, writeGigabytesPerSecond: 20 }];
const turns = [
  { own: 200, output: 5, gap: 0 },
  { own: 30, output: 9, gap: 0.4 },
  { own: 20, output: 4, gap: 0.2 },
];
const chats = programWorkload(
  [0, 0.1, 0.2, 0.3].map((start) => ({ start, system: 2, forks: false, turns })),
);
const plain = workloadOf(
  Array.from({ length: 60 }, (_, i) => [i * 0.03, 100 + 30 * (i % 7), 12 + (i % 5), 0] as const),
);
const pools = { type: 'pools', prefillReplicas: 2, decodeReplicas: 2 };

const RUNS: readonly (readonly [string, object, Workload])[] = [
  ['vllm', { type: 'vllm' }, plain],
  ['distserve', { type: 'distserve' }, plain],
  [
    'stores and pools of programs',
    {
      type: 'composed',
      topology: pools,
      prefixIndex: { type: 'block-hash' },
      tierStore: { type: 'tiers', load: 'always', write: 'through', levels },
    },
    chats,
  ],
  ['a shared accelerator', { type: 'composed', partition: { type: 'static' } }, plain],
];
const memory = { kvBlocks: 60, blockTokens: 16, watermark: 0 };

function exported(result: ServeResult, traces: readonly RequestTrace[] = []): Exported {
  const text = [...chromeTraceChunks(result, { cell: 'x' }, traces)].join('');
  const { traceEvents, metadata } = JSON.parse(text);
  return { events: traceEvents, metadata };
}

describe.each(RUNS)('Chrome trace of %s', (_, strategy, workload) => {
  const params = serveParams.parse({ strategy, memory });
  const result = simulate(params, workload, makeCostModel(params));
  const id = workload.promptTokens.length - 1;
  const trace = traceOf({ strategy, memory }, workload, id);
  const { events, metadata } = exported(result, [trace]);
  const slices = events.filter(({ ph }) => ph === 'X');
  const endOf = ({ ts, dur = 0 }: TraceEvent) => Number((ts + dur).toFixed(3));

  it('has every row of every lane, in microseconds, never overlapping', () => {
    expect(metadata).toMatchObject({ simulated: true, cell: 'x' });
    for (const [pid, lane] of result.lanes.entries()) {
      const own = slices.filter((event) => event.pid === pid);
      expect(own).toHaveLength(lane.startSeconds.length);
      let freeFrom = 0;
      for (const event of own) {
        expect(event.ts).toBeGreaterThanOrEqual(freeFrom);
        freeFrom = endOf(event);
      }
      const end = (lane.startSeconds.at(-1) ?? 0) + (lane.durationSeconds.at(-1) ?? 0);
      expect(freeFrom / 1e6).toBeCloseTo(end, 6);
      const name = events.find((event) => event.name === 'process_name' && event.pid === pid);
      expect(name?.args?.name).toBe(lane.label);
    }
  });

  it('has every completed request, its phases nested in it and touching', () => {
    const open = new Map<number | string, { name: string; ts: number }[]>();
    const sums = new Map<number | string, number>();
    for (const { ph, name, id: request = -1, ts } of events.filter(
      ({ cat, ph: kind }) => cat === 'request' && kind !== 'n',
    )) {
      const stack = open.get(request) ?? [];
      open.set(request, stack);
      if (ph === 'b') stack.push({ name, ts });
      else {
        const begun = stack.pop();
        expect(begun?.name).toBe(name);
        if (name === 'request') expect(sums.get(request)).toBeCloseTo(ts - (begun?.ts ?? 0), 2);
        else sums.set(request, (sums.get(request) ?? 0) + ts - (begun?.ts ?? 0));
      }
    }
    expect(open.size).toBe(result.metrics.completed);
    for (const stack of open.values()) expect(stack).toEqual([]);
  });

  it('has arrows that begin, pass and end within slices, in order of time', () => {
    const arrows = new Map<number | string, TraceEvent[]>();
    for (const event of events.filter(({ cat }) => cat === 'flow')) {
      const own = arrows.get(event.id ?? '') ?? [];
      own.push(event);
      arrows.set(event.id ?? '', own);
    }
    expect([...arrows.keys()].filter((key) => String(key).startsWith('r'))).toHaveLength(
      result.metrics.completed,
    );
    for (const own of arrows.values()) {
      const kinds = own.map(({ ph }) => ph).join('');
      expect(kinds).toMatch(/^st*f$/);
      own.forEach((event, i) => {
        if (i > 0) expect(event.ts).toBeGreaterThanOrEqual(own[i - 1]?.ts ?? 0);
        const within = slices.some(
          (each) => each.pid === event.pid && each.ts <= event.ts && event.ts <= endOf(each),
        );
        expect(within).toBe(true);
      });
    }
  });

  it('has the reasons of the request that was asked about, which sum to its time', () => {
    const own = slices.filter(({ pid }) => pid === result.lanes.length + 1);
    expect(own).toHaveLength(trace.phases.length);
    const sum = own.reduce((total, { dur = 0 }) => total + dur, 0) / 1e6;
    expect(sum).toBeCloseTo(trace.endSeconds - trace.arrivalSeconds, 6);
    for (const { args } of own) expect(String(args?.what).length).toBeGreaterThan(5);
  });
});

describe('Chrome trace of side lanes', () => {
  const of = (name: string) => {
    const [, strategy, workload] = RUNS.find(([each]) => each === name) as (typeof RUNS)[number];
    const params = serveParams.parse({ strategy, memory });
    const result = simulate(params, workload, makeCostModel(params));
    return { result, events: exported(result).events };
  };

  it('leads an arrow from the prefill pool over its link to the decode pool', () => {
    const { result, events } = of('distserve');
    const flow = events.filter(({ cat, id }) => cat === 'flow' && id === 'r0');
    const roles = flow.map(({ pid }) => result.lanes[pid]?.role);
    expect([...new Set(roles)]).toEqual(['prefill', 'link', 'decode']);
  });

  it('leads an arrow from each turn of a program to the next', () => {
    const { events } = of('stores and pools of programs');
    const next = events.filter(({ name, ph }) => name === 'next turn' && ph === 's');
    expect(next).toHaveLength(8);
    expect(events.some(({ name, args }) => name === 'KV read' && args?.request !== undefined)).toBe(
      true,
    );
    expect(events.some(({ name }) => name === 'KV write')).toBe(true);
  });

  it('counts the shares of an accelerator', () => {
    const { events } = of('a shared accelerator');
    const shares = events.filter(({ ph, name }) => ph === 'C' && name === 'SMs');
    expect(shares.length).toBeGreaterThan(2);
    for (const { args } of shares) {
      const { prompts, decodes } = args as { prompts: number; decodes: number };
      expect(prompts + decodes).toBeLessThanOrEqual(1.001);
    }
  });
});
