import type { PlanParams } from '../../spec/kinds/plan';
import type { ServeParams } from '../../spec/kinds/serve';
import type { ParallelDegrees } from '../presets/kv-plan';
import { createRateSearch } from '../rate-search';
import { foldPoint } from '../sweep-point';
import { enumeratePlans, type Phase, type Shapes } from './enumerate';
import { planFigures, type RatedRuns } from './figures';
import { type PlanRun, type PlanTask, requestsOf } from './measure';
import { choosePlan, markPareto } from './pareto';
import {
  heuristicPlan,
  type Plan,
  planAccelerators,
  planLabel,
  planServe,
  shapeLabel,
} from './plan';
import { MOST_ROWS, type PlanFigures, type PlanResult, type PlanRow } from './result';

export interface PlanSearchOptions {
  readonly params: PlanParams;
  /** The serve cell whose model, hardware, times, SLO and rules every plan has. */
  readonly base: ServeParams;
  readonly shapes: Shapes;
  /** Where searches begin, per accelerator, requests per second. */
  readonly startPerAccelerator: number;
  readonly seed: number;
  readonly costModel: PlanResult['costModel'];
  readonly notes: readonly string[];
}

/** Runs one task on one of the workers; rejects when cancelled. */
export type Measure = (worker: number, task: PlanTask) => Promise<PlanRun>;

export type OnPlanPartial = (partial: PlanResult, fraction: number, phase: string) => void;

/** A screening looks for a factor, not for digits. */
const SCREEN_TOLERANCE = 0.1;
/** Between two partial results: they sort every plan, and a page draws them. */
const PARTIAL_MILLISECONDS = 300;
/** Share of the progress bar that screening has. */
const SCREEN_SHARE = 0.3;

const keyOf = (phase: Phase, degrees: ParallelDegrees) => `${shapeLabel(degrees)} ${phase}`;
const one = (degrees: ParallelDegrees) => ({ replicas: 1, degrees });

interface Screening {
  readonly phase: Phase;
  readonly degrees: ParallelDegrees;
  readonly serve: ServeParams;
}

/**
 * The best plan in two steps, as DistServe's placement search has them. Screening finds the highest
 * rate of one replica of each shape in each phase, under a short load; a plan's
 * estimate is the rate of its replicas together, of two pools that of the slower. Then the plans
 * with the best estimates, half of them of each arrangement, are simulated in full under the whole
 * load and all seeds. The outcome does not depend on the number of workers.
 *
 * @throws Error when no shape fits, and whatever `measure` rejects with
 */
export async function searchPlans(
  options: PlanSearchOptions,
  measure: Measure,
  workers: number,
  onPartial?: OnPlanPartial,
): Promise<PlanResult> {
  const { params, base, shapes } = options;
  const plans = enumeratePlans(params.accelerators, shapes);
  if (plans.length === 0) {
    const reasons = shapes.pruned.map(({ label, reason }) => `${label}: ${reason}`);
    throw new Error(`no plan for ${params.accelerators} accelerators: ${reasons.join('; ')}`);
  }
  const rates = new Map<string, number>();
  const figures = new Map<string, PlanFigures>();
  const labels = new Map(plans.map((plan) => [plan, planLabel(plan)]));
  const heuristic = planLabel(heuristicPlan(params));
  let runs = 0;
  let phase = 'one replica of each shape';
  let fraction = 0;

  const rateOf = (each: Phase, degrees: ParallelDegrees) => rates.get(keyOf(each, degrees)) ?? 0;
  const estimate = (plan: Plan): number =>
    plan.type === 'colocated'
      ? plan.mixed.replicas * rateOf('mixed', plan.mixed.degrees)
      : Math.min(
          plan.prefill.replicas * rateOf('prefill', plan.prefill.degrees),
          plan.decode.replicas * rateOf('decode', plan.decode.degrees),
        );

  function resultNow(): PlanResult {
    const rows = plans.map(
      (plan): PlanRow => ({
        label: labels.get(plan) as string,
        plan,
        accelerators: planAccelerators(plan),
        estimatePerSecond: estimate(plan),
        figures: figures.get(labels.get(plan) as string),
        isHeuristic: labels.get(plan) === heuristic,
        isPareto: false,
      }),
    );
    const goodput = (row: PlanRow) => row.figures?.goodputPerAccelerator ?? -1;
    rows.sort((a, b) => goodput(b) - goodput(a) || b.estimatePerSecond - a.estimatePerSecond);
    const marked = markPareto(rows.slice(0, MOST_ROWS));
    return {
      rows: marked,
      enumerated: plans.length,
      pruned: shapes.pruned,
      shapes: screenings
        .filter(({ phase: each, degrees }) => rates.has(keyOf(each, degrees)))
        .map(({ phase: each, degrees }) => ({
          label: shapeLabel(degrees),
          phase: each,
          ratePerSecond: rateOf(each, degrees),
        })),
      chosen: choosePlan(marked, params.choose),
      base,
      accelerators: params.accelerators,
      seeds: params.seeds,
      seed: options.seed,
      runs,
      costModel: options.costModel,
      notes: options.notes,
    };
  }

  let reportedAt = -Infinity;
  function report(): void {
    const now = performance.now();
    if (onPartial === undefined || now - reportedAt < PARTIAL_MILLISECONDS) return;
    reportedAt = now;
    onPartial(resultNow(), fraction, phase);
  }

  /** The highest rate at which `serve` holds its SLO, on one worker. */
  async function searchRate(worker: number, serve: ServeParams, how: RateSearchOptions) {
    const search = createRateSearch(how.start, how.tolerance);
    const tried: RatedRuns[] = [];
    for (let rate = search.next(); rate !== undefined; rate = search.next()) {
      const done: PlanRun[] = [];
      for (let repeat = 0; repeat < how.seeds; repeat++) {
        const { phase: each, seconds } = how;
        done.push(
          await measure(worker, {
            params: serve,
            phase: each,
            ratePerSecond: rate,
            repeat,
            requests: requestsOf(rate, seconds),
          }),
        );
        runs++;
      }
      tried.push({ ratePerSecond: rate, runs: done });
      search.tell(rate, foldPoint(rate, done, serve.slo).holds);
      report();
    }
    return { tried, found: search.found() };
  }

  /** Every worker takes the next task when it has ended one; the first failure ends all. */
  async function share<T>(
    tasks: readonly T[],
    step: (done: number) => number,
    work: (worker: number, task: T) => Promise<void>,
  ): Promise<void> {
    let next = 0;
    let done = 0;
    let hasFailed = false;
    await Promise.all(
      Array.from({ length: workers }, async (_, worker) => {
        while (next < tasks.length && !hasFailed) {
          try {
            await work(worker, tasks[next++] as T);
          } catch (error) {
            hasFailed = true;
            throw error;
          }
          fraction = step(++done / tasks.length);
          report();
        }
      }),
    );
  }

  const serveOf = (plan: Plan) => planServe(plan, base, params);
  const screenings: readonly Screening[] = [
    ...shapes.mixed.map((degrees) => ({
      phase: 'mixed' as const,
      degrees,
      serve: serveOf({ type: 'colocated', mixed: one(degrees) }),
    })),
    ...(['prefill', 'decode'] as const).flatMap((each) =>
      shapes.pools.map((degrees) => ({
        phase: each,
        degrees,
        serve: serveOf({ type: 'pools', prefill: one(degrees), decode: one(degrees) }),
      })),
    ),
  ];
  await share(
    screenings,
    (done) => done * SCREEN_SHARE,
    async (worker, { phase: each, degrees, serve }) => {
      const { found } = await searchRate(worker, serve, {
        phase: each,
        start: options.startPerAccelerator * degrees.tensor * degrees.pipeline,
        tolerance: SCREEN_TOLERANCE,
        seeds: 1,
        seconds: params.screenSeconds,
      });
      rates.set(keyOf(each, degrees), found.ratePerSecond);
    },
  );

  phase = 'the best plans in full';
  await share(
    shortlist(plans, estimate, params.refine, heuristic),
    (done) => SCREEN_SHARE + done * (1 - SCREEN_SHARE),
    async (worker, plan) => {
      const { tried, found } = await searchRate(worker, serveOf(plan), {
        phase: 'mixed',
        start: estimate(plan),
        tolerance: params.tolerance,
        seeds: params.seeds,
        seconds: params.runSeconds,
      });
      const used = planAccelerators(plan);
      figures.set(labels.get(plan) as string, planFigures(base, params, used, tried, found));
    },
  );
  return resultNow();
}

interface RateSearchOptions {
  readonly phase: Phase;
  readonly start: number;
  readonly tolerance: number;
  readonly seeds: number;
  readonly seconds: number;
}

/** The plans with the best estimates, half of them of each arrangement, and the one of no search. */
function shortlist(
  plans: readonly Plan[],
  estimate: (plan: Plan) => number,
  count: number,
  heuristic: string,
): readonly Plan[] {
  const perAccelerator = (plan: Plan) => estimate(plan) / planAccelerators(plan);
  const able = plans
    .filter((plan) => estimate(plan) > 0)
    .sort((a, b) => perAccelerator(b) - perAccelerator(a));
  const colocated = able.filter(({ type }) => type === 'colocated');
  const pools = able.filter(({ type }) => type === 'pools');
  const ofPools = Math.max(Math.floor(count / 2), count - colocated.length);
  const chosen = new Set([
    ...pools.slice(0, ofPools),
    ...colocated.slice(0, Math.max(Math.ceil(count / 2), count - pools.length)),
    ...able.filter((plan) => planLabel(plan) === heuristic),
  ]);
  return able.filter((plan) => chosen.has(plan));
}
