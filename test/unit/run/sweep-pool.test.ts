import { describe, expect, it } from 'vitest';
import { createNodeModelApi, createNodeSimulationApi } from '../../../lib/cli/run/node-session';
import { createLocalClient } from '../../../lib/run/local-client';
import { readRecorded, writeRecorded } from '../../../lib/run/recorded';
import { createSession } from '../../../lib/run/session';
import { sha256Hex } from '../../../lib/run/spec-hash';
import { createSweepPool } from '../../../lib/run/sweep-pool';
import { createSweepService, type SweepApi } from '../../../lib/run/sweep-service';
import type { KernelApi } from '../../../lib/run/worker-api';
import { makeCostModel } from '../../../lib/serving/cost/make-cost-model';
import { sweepPoint } from '../../../lib/serving/sweep';
import type { SweepResult } from '../../../lib/serving/sweep-result';
import { serveParams } from '../../../lib/spec/kinds/serve';
import { sweepParams } from '../../../lib/spec/kinds/sweep';
import { workloadParams } from '../../../lib/spec/kinds/workload';
import { type RatedLoad, workloadAtRate } from '../../../lib/workload/at-rate';
import { makeNotebook } from './fakes';

const generator = workloadParams.parse({ source: { type: 'generator', requests: 120 } });
const load: RatedLoad = { type: 'generator', params: generator };
const trace: RatedLoad = { type: 'trace', workload: workloadAtRate(load, 5, 0), seed: 9 };
const params = serveParams.parse({ strategy: { type: 'sarathi' } });
const sweep = sweepParams.parse({ points: 5, seeds: 3, mostRatePerSecond: 40, tolerance: 0.1 });

/** A worker that answers after a time of its own, so that tasks end in another order. */
function slowed(api: SweepApi, milliseconds: number): SweepApi {
  return {
    ...api,
    async run(...args) {
      await new Promise((resolve) => setTimeout(resolve, milliseconds));
      return api.run(...args);
    },
  };
}

const poolOf = (delays: readonly number[]) =>
  createSweepPool(
    delays.map((delay) => createLocalClient(slowed(createSweepService(), delay), 'sweep')),
  );

describe('a pool of sweep workers', () => {
  it.each([
    ['a generator', load],
    ['a trace', trace],
  ])('gives the same sweep of %s for any number of workers', async (_, rated) => {
    const subject = { params, load: rated, tables: undefined };
    const alone = await poolOf([0]).run(subject, sweep);
    for (const delays of [
      [0, 0],
      [7, 0, 2],
    ])
      expect(await poolOf(delays).run(subject, sweep)).toEqual(alone);
    expect(alone.points.map(({ ratePerSecond }) => ratePerSecond)).toHaveLength(5);
    expect(alone.points.every(({ seeds }) => seeds === 3)).toBe(true);
    expect(alone.maximum?.ratePerSecond).toBeGreaterThan(1);
    const costModel = makeCostModel(params);
    const workloadAt = (rate: number, repeat: number) => workloadAtRate(rated, rate, repeat);
    for (const point of [...alone.points, ...alone.searched])
      expect(point).toEqual(
        sweepPoint({ params, costModel, workloadAt, seeds: 3 }, point.ratePerSecond),
      );
  });

  it('shows points as they come, each with the seeds that are there', async () => {
    const partials: SweepResult[] = [];
    const fractions: number[] = [];
    await poolOf([0]).run({ params, load, tables: undefined }, sweep, (partial, fraction) => {
      partials.push(partial);
      fractions.push(fraction);
    });
    expect(partials[0]?.points).toHaveLength(1);
    expect(partials[4]?.points.map(({ seeds }) => seeds)).toEqual([1, 1, 1, 1, 1]);
    expect(fractions).toEqual([...fractions].sort((a, b) => a - b));
    expect(Math.max(...fractions)).toBeLessThan(1);
  });

  it('counts what never completes as violations', async () => {
    const subject = {
      params: serveParams.parse({ horizonSeconds: 5, slo: { ttftSeconds: 60, tpotSeconds: 60 } }),
      load,
      tables: undefined,
    };
    const found = await poolOf([0]).run(subject, { ...sweep, findMaximum: false });
    expect(found.maximum).toBeUndefined();
    for (const { starvedRequests, sloAttainment } of found.points) {
      expect(starvedRequests).toBeGreaterThan(0);
      expect(sloAttainment.mean).toBeCloseTo(1 - starvedRequests / (3 * 120), 9);
    }
  });

  it('begins nothing more when it is cancelled', async () => {
    const controller = new AbortController();
    let begun = 0;
    const counted = (api: SweepApi): SweepApi => ({
      ...api,
      run(...args) {
        begun++;
        if (begun === 3) controller.abort();
        return api.run(...args);
      },
    });
    const clients = [0, 1].map(() => createLocalClient(counted(createSweepService()), 'sweep'));
    const job = createSweepPool(clients).run(
      { params, load, tables: undefined },
      { ...sweep, points: 100 },
      undefined,
      controller.signal,
    );
    await expect(job).rejects.toThrow(/cancelled/);
    expect(begun).toBeLessThanOrEqual(4);
  });

  it('says what is wrong with the rates', async () => {
    const run = poolOf([0]).run(
      { params, load, tables: undefined },
      { ...sweep, leastRatePerSecond: 50 },
    );
    await expect(run).rejects.toThrow(
      'invalid leastRatePerSecond: 50 (expected below mostRatePerSecond, 40)',
    );
  });
});

describe('a sweep cell', () => {
  it('runs after its strategy and load, and its record says the same', async () => {
    const session = createSession(
      makeNotebook([
        { id: 'load', kind: 'workload', params: { source: { type: 'generator', requests: 120 } } },
        { id: 'serve', kind: 'serve', inputs: ['load'], params: { strategy: { type: 'sarathi' } } },
        {
          id: 'rates',
          kind: 'sweep',
          inputs: ['serve'],
          params: { points: 5, seeds: 3, mostRatePerSecond: 40, tolerance: 0.1 },
        },
      ]),
      {
        kernel: createLocalClient({ cancel: () => undefined } as unknown as KernelApi, 'kernel'),
        model: createLocalClient(createNodeModelApi(), 'model'),
        simulation: createLocalClient(createNodeSimulationApi(), 'simulation'),
        appVersion: '9.9.9',
        now: () => Date.now(),
        hash: sha256Hex,
      },
    );
    await session.run('rates');
    const result = session.statuses().get('rates')?.result;
    expect(result?.provenance).toMatchObject({ simulated: true, engine: 'simulator', seed: 1 });
    const direct = await poolOf([0]).run({ params, load, tables: undefined }, sweep);
    expect(result?.output).toEqual({ kind: 'sweep', value: direct });
    const read = readRecorded(writeRecorded(new Map([['rates', result!]])));
    expect(read.get('rates')?.output).toEqual(result?.output);
    session.dispose();
  });
});
