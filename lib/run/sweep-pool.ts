import type { PlanResult } from '../serving/plan/result';
import type { OnPlanPartial } from '../serving/plan/search';
import { createRateSearch } from '../serving/rate-search';
import { foldPoint, type SweepPoint, type SweepRun } from '../serving/sweep-point';
import { ratesOf, type SweepResult } from '../serving/sweep-result';
import type { PlanParams } from '../spec/kinds/plan';
import type { ServeParams } from '../spec/kinds/serve';
import type { SweepParams } from '../spec/kinds/sweep';
import { ownRatePerSecond } from '../workload/at-rate';
import { runPlanSearch } from './plan-pool';
import type { SweepApi, SweepSubjectData } from './sweep-service';
import type { WorkerClient } from './worker-client';

/** A point on its way: one place for every seed. */
interface OpenPoint {
  readonly ratePerSecond: number;
  readonly runs: (SweepRun | undefined)[];
}

export interface SweepPool {
  readonly workers: number;
  /**
   * All rates of a sweep, every seed a task of its own, then the search for the highest rate that
   * holds. The result is the same for any number of workers.
   *
   * @param onPartial after every run, with what is there
   * @throws AbortError when cancelled, Error for a strategy that cannot be run
   */
  run(
    subject: SweepSubjectData,
    params: SweepParams,
    onPartial?: (partial: SweepResult, fraction: number, phase: string) => void,
    signal?: AbortSignal,
  ): Promise<SweepResult>;
  /** A plan search over the same workers. */
  plan(
    subject: SweepSubjectData,
    params: PlanParams,
    onPartial?: OnPlanPartial,
    signal?: AbortSignal,
  ): Promise<PlanResult>;
  /** Starts two of the workers, which give the first points, and compiles what these strategies run. */
  warm(strategies: readonly ServeParams[]): Promise<void>;
  dispose(): void;
}

/** @param clients of one worker each */
export function createSweepPool(clients: readonly WorkerClient<SweepApi>[]): SweepPool {
  return {
    workers: clients.length,
    async run(subject, params, onPartial, signal) {
      const ownRate = ownRatePerSecond(subject.load);
      const grid = ratesOf(params, ownRate).map((rate) => openPoint(rate, params.seeds));
      const extra: OpenPoint[] = [];
      const search = createRateSearch(ownRate, params.tolerance);
      const stopped = new AbortController();
      const either = signal ? AbortSignal.any([signal, stopped.signal]) : stopped.signal;
      const options = { signal: either };
      let maximum: SweepResult['maximum'];
      let runs = 0;

      // A worker may have been replaced since, so each is told anew. It begins as soon as it is there.
      const loading = clients.map((client) =>
        client.call((api, id) => api.load(id, subject), options),
      );
      const costModel = await Promise.race(loading);

      const resultNow = (): SweepResult => ({
        points: pointsOf(grid, subject),
        searched: pointsOf(extra, subject),
        maximum,
        slo: subject.params.slo,
        ownRatePerSecond: ownRate,
        requestsPerRun: Math.max(
          0,
          ...started([...grid, ...extra]).map(({ requests }) => requests),
        ),
        seeds: params.seeds,
        runs,
        seed: subject.load.type === 'trace' ? subject.load.seed : subject.load.params.seed,
        costModel,
        notes: notesOf(subject, params.seeds),
      });

      /** Shares tasks out; the first failure ends all. */
      async function work(tasks: readonly Task[], phase: string, fraction: () => number) {
        let next = 0;
        const working = clients.map(async (client, i) => {
          await loading[i];
          for (let task = tasks[next++]; task !== undefined; task = tasks[next++]) {
            const { point, repeat } = task;
            point.runs[repeat] = await client.call(
              (api, id, report) => api.run(id, point.ratePerSecond, repeat, report),
              options,
            );
            runs++;
            if (!either.aborted) onPartial?.(resultNow(), fraction(), phase);
          }
        });
        try {
          await Promise.all(working);
        } catch (error) {
          stopped.abort();
          await Promise.allSettled(working);
          throw error;
        }
      }

      // One seed of every rate first: the whole curve is there early, and the band grows on it. High
      // rates have the fewest iterations: first, so that points come at once, and then last, so that
      // no worker is left with a long run at the end.
      const tasks = grid[0]?.runs.flatMap((_, repeat) =>
        (repeat === 0 ? [...grid].reverse() : grid).map((point) => ({ point, repeat })),
      );
      const searchShare = params.findMaximum ? 0.2 : 0;
      const total = grid.length * params.seeds;
      await work(tasks ?? [], `rate by rate`, () => (1 - searchShare) * (runs / total));
      if (params.findMaximum) {
        for (const point of pointsOf(grid, subject)) search.tell(point.ratePerSecond, point.holds);
        for (let rate = search.next(); rate !== undefined; rate = search.next()) {
          const point = openPoint(rate, params.seeds);
          extra.push(point);
          const each = point.runs.map((_, repeat) => ({ point, repeat }));
          await work(each, `searching at ${Number(rate.toPrecision(4))} /s`, () =>
            Math.min(0.99, 1 - searchShare + extra.length * 0.02),
          );
          const [tried] = pointsOf([point], subject);
          search.tell(rate, tried?.holds === true);
        }
        maximum = search.found();
      }
      return resultNow();
    },
    plan: (...args) => runPlanSearch(clients, ...args),
    async warm(strategies) {
      await Promise.all(
        clients.slice(0, 2).map((client) => client.call((api) => api.warm(strategies))),
      );
    },
    dispose() {
      for (const client of clients) client.dispose();
    },
  };
}

interface Task {
  readonly point: OpenPoint;
  readonly repeat: number;
}

function openPoint(ratePerSecond: number, seeds: number): OpenPoint {
  return { ratePerSecond, runs: Array.from({ length: seeds }, () => undefined) };
}

function started(points: readonly OpenPoint[]): readonly SweepRun[] {
  return points.flatMap(({ runs }) => runs.filter((run) => run !== undefined));
}

function pointsOf(points: readonly OpenPoint[], { params }: SweepSubjectData): SweepPoint[] {
  return points
    .flatMap((point) => {
      const runs = started([point]);
      return runs.length === 0 ? [] : [foldPoint(point.ratePerSecond, runs, params.slo)];
    })
    .sort((a, b) => a.ratePerSecond - b.ratePerSecond);
}

function notesOf({ load }: SweepSubjectData, seeds: number): readonly string[] {
  if (load.type === 'generator' || seeds === 1) return [];
  return [
    'a trace has no seeds: the first run of each rate is the trace as it is, the others begin it at a random request and wrap round',
  ];
}
