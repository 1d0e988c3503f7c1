import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createLocalClient } from '../../../lib/run/local-client';
import { createSweepPool } from '../../../lib/run/sweep-pool';
import { createSweepService } from '../../../lib/run/sweep-service';
import { averageWatts } from '../../../lib/serving/plan/energy';
import { enumeratePlans, replicaShapes } from '../../../lib/serving/plan/enumerate';
import { markPareto } from '../../../lib/serving/plan/pareto';
import {
  heuristicPlan,
  planAccelerators,
  planLabel,
  planServe,
} from '../../../lib/serving/plan/plan';
import type { PlanFigures, PlanResult, PlanRow } from '../../../lib/serving/plan/result';
import { acceleratorCount } from '../../../lib/serving/presets/degrees';
import { planParams } from '../../../lib/spec/kinds/plan';
import { serveParams } from '../../../lib/spec/kinds/serve';
import { workloadParams } from '../../../lib/spec/kinds/workload';
import { planCsv, sortedPlans } from '../../../lib/views/plan-rows';

const base = serveParams.parse({ strategy: { type: 'sarathi' } });
const quick = { accelerators: 4, seeds: 2, refine: 4, screenSeconds: 3, runSeconds: 4 };
const load = workloadParams.parse({
  source: { type: 'generator', lengths: 'fixed', promptTokens: 512, outputTokens: 64 },
});
const subject = {
  params: base,
  load: { type: 'generator' as const, params: load },
  tables: undefined,
};
const poolOf = (workers: number) =>
  createSweepPool(
    Array.from({ length: workers }, () => createLocalClient(createSweepService(), 'sweep')),
  );

describe('plans', () => {
  it('use no accelerator twice, and pools leave none idle', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 24 }), (accelerators) => {
        const params = planParams.parse({ accelerators });
        const plans = enumeratePlans(accelerators, replicaShapes(params, base));
        const labels = plans.map(planLabel);
        expect(new Set(labels).size).toBe(labels.length);
        for (const plan of plans) {
          const used = planAccelerators(plan);
          expect(acceleratorCount(planServe(plan, base, params))).toBe(used);
          if (plan.type === 'pools') expect(used).toBe(accelerators);
          else expect(used).toBeLessThanOrEqual(accelerators);
        }
        expect(labels).toContain(planLabel(heuristicPlan(params)));
      }),
    );
  });

  it('leave out what does not fit, with the reason', () => {
    const large = serveParams.parse({ model: 'llama-3.1-70b' });
    const { mixed, pruned } = replicaShapes(planParams.parse({ accelerators: 4 }), large);
    expect(mixed).not.toContainEqual({ tensor: 1, pipeline: 1 });
    expect(mixed).toContainEqual({ tensor: 1, pipeline: 4 });
    const reasons = pruned.map(({ label, reason }) => `${label}: ${reason}`);
    expect(reasons).toContainEqual(expect.stringMatching(/^tp1 colocated: .*does not fit/));
    expect(reasons).toContainEqual('tp8 colocated: needs 8 accelerators of 4');
    const fitted = serveParams.parse({ model: 'opt-13b', costModel: { type: 'fitted' } });
    const shapes = replicaShapes(planParams.parse({ accelerators: 8 }), fitted);
    expect(shapes.pruned.find(({ label }) => label === 'tp8 colocated')?.reason).toMatch(
      /^no fitted coefficients for opt-13b/,
    );
  });

  it('keep the cell as it is but for parallelism and strategy', () => {
    const plan = {
      type: 'pools',
      prefill: { replicas: 2, degrees: { tensor: 2, pipeline: 1 } },
      decode: { replicas: 1, degrees: { tensor: 4, pipeline: 2 } },
    } as const;
    expect(planLabel(plan)).toBe('2 x tp2 prefill, 1 x tp4 pp2 decode');
    const serve = planServe(plan, base, planParams.parse({}));
    expect(serveParams.parse(serve)).toEqual(serve);
    expect({ ...serve, strategy: base.strategy }).toEqual(base);
    expect(acceleratorCount(serve)).toBe(12);
  });
});

describe('a plan search', () => {
  it('gives the same plans for any number of workers, the chosen one on the front', async () => {
    const params = planParams.parse(quick);
    const partials: PlanResult[] = [];
    const alone = await poolOf(1).plan(subject, params, (partial) => partials.push(partial));
    expect(await poolOf(3).plan(subject, params)).toEqual(alone);
    const chosen = alone.rows.find(({ label }) => label === alone.chosen);
    expect(chosen?.isPareto).toBe(true);
    const known = alone.rows.flatMap(({ figures }) => (figures === undefined ? [] : [figures]));
    expect(known.length).toBeGreaterThanOrEqual(4);
    for (const each of known)
      expect(each.goodputPerAccelerator).toBeLessThanOrEqual(
        chosen?.figures?.goodputPerAccelerator as number,
      );
    for (const { estimatePerSecond, figures } of alone.rows)
      if (figures !== undefined) {
        expect(figures.ratePerSecond).toBeGreaterThan(0.3 * estimatePerSecond);
        expect(figures.busyShare).toBeGreaterThan(0);
        expect(figures.busyShare).toBeLessThanOrEqual(1);
        expect(figures.failsAtPerSecond / figures.ratePerSecond).toBeLessThan(1.06);
      }
    expect(alone.rows.some(({ isHeuristic, figures }) => isHeuristic && figures)).toBe(true);
    expect(partials.some(({ rows }) => rows.every(({ figures }) => !figures))).toBe(true);
    expect(planCsv(alone.rows).trim().split('\n')).toHaveLength(alone.rows.length + 1);
  }, 60_000);

  it('stops when it is cancelled', async () => {
    const stop = new AbortController();
    const search = poolOf(2).plan(
      subject,
      planParams.parse(quick),
      () => stop.abort(),
      stop.signal,
    );
    await expect(search).rejects.toThrow(/abort|cancel/i);
  });

  it('says why there is no plan at all', async () => {
    const large = { ...subject, params: serveParams.parse({ model: 'llama-3.1-70b' }) };
    const params = planParams.parse({ ...quick, accelerators: 1 });
    await expect(poolOf(1).plan(large, params)).rejects.toThrow(
      /^no plan for 1 accelerators: tp1 colocated: Llama 3.1 70B does not fit/,
    );
  });
});

describe('the front and the figures', () => {
  const row = (label: string, goodput: number, price: number, joules: number): PlanRow => ({
    label,
    plan: { type: 'colocated', mixed: { replicas: 1, degrees: { tensor: 1, pipeline: 1 } } },
    accelerators: 1,
    estimatePerSecond: goodput,
    figures: {
      ratePerSecond: goodput,
      goodputPerAccelerator: goodput,
      pricePerMillionTokens: price,
      joulesPerToken: joules,
    } as PlanFigures,
    isHeuristic: false,
    isPareto: false,
  });

  it('keeps what nothing beats in everything', () => {
    const rows = [row('a', 3, 1, 5), row('b', 2, 2, 4), row('c', 2, 2, 5), row('d', 1, 3, 4)];
    expect(markPareto(rows).map(({ isPareto }) => isPareto)).toEqual([true, true, false, false]);
    expect(sortedPlans(rows, 'joules_per_token', false).map(({ label }) => label)).toEqual([
      'b',
      'd',
      'a',
      'c',
    ]);
  });

  it('draws idle power always and the rest while at work', () => {
    const watts = (workAccelerators: number) =>
      averageWatts({ hardware: 'h100', accelerators: 4, workAccelerators, idlePowerShare: 0.25 });
    expect(watts(0)).toBe(700);
    expect(watts(4)).toBe(2800);
    expect(watts(2)).toBe(1750);
  });
});
