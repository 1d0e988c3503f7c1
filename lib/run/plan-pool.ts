import type { PlanResult } from '../serving/plan/result';
import { type OnPlanPartial, searchPlans } from '../serving/plan/search';
import { HARDWARE } from '../serving/presets/hardware';
import type { PlanParams } from '../spec/kinds/plan';
import { ownRatePerSecond } from '../workload/at-rate';
import type { SweepApi, SweepSubjectData } from './sweep-service';
import type { WorkerClient } from './worker-client';

/**
 * A plan search over the workers of a sweep pool: each searches the highest rate of one plan at a
 * time. The result is the same for any number of workers.
 *
 * @throws AbortError when cancelled, Error when no shape fits
 */
export async function runPlanSearch(
  clients: readonly WorkerClient<SweepApi>[],
  subject: SweepSubjectData,
  params: PlanParams,
  onPartial?: OnPlanPartial,
  signal?: AbortSignal,
): Promise<PlanResult> {
  const stopped = new AbortController();
  const either = signal ? AbortSignal.any([signal, stopped.signal]) : stopped.signal;
  const options = { signal: either };
  const { load, params: base } = subject;
  const starts = await Promise.all(
    clients.map((client) => client.call((api, id) => api.loadPlan(id, subject, params), options)),
  );
  const [{ shapes, costModel }] = starts as [(typeof starts)[number]];
  try {
    return await searchPlans(
      {
        params,
        base,
        shapes,
        startPerAccelerator: Math.max(1e-3, ownRatePerSecond(load) / params.accelerators),
        seed: load.type === 'trace' ? load.seed : load.params.seed,
        costModel: costModel ?? { kind: 'roofline', label: 'none', source: 'none' },
        notes: notesOf(subject, params),
      },
      (worker, task) => {
        const client = clients[worker] as WorkerClient<SweepApi>;
        return client.call((api, id) => api.measure(id, task), options);
      },
      clients.length,
      (partial, fraction, phase) => {
        if (!either.aborted) onPartial?.(partial, fraction, phase);
      },
    );
  } catch (error) {
    stopped.abort();
    throw error;
  }
}

function notesOf({ params, load }: SweepSubjectData, search: PlanParams): readonly string[] {
  const { boardWatts, source } = HARDWARE[params.hardware];
  return [
    `energy, estimated as in a serve cell: an accelerator draws ${search.idlePowerShare} of its ${boardWatts} W (${source}) all the time, an assumption, and the rest for as long as arithmetic or memory is busy`,
    'pipeline stages: every stage as slow as the one with the most layers, a request in one micro-batch at a time, KV blocks shared out over the micro-batches',
    'powers of two are tried as degrees; in pools no accelerator is left idle',
    ...(load.type === 'trace' && search.seeds > 1
      ? [
          'a trace has no seeds: the first run of each rate is the trace as it is, the others begin it at a random request and wrap round',
        ]
      : []),
  ];
}
