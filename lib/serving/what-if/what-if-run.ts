import type { ServeParams } from '../../spec/kinds/serve';
import type { Workload } from '../../workload/types';
import { createSimulation, type Simulation } from '../core/simulation';
import { makeCostModel } from '../cost/make-cost-model';
import { HARDWARE } from '../presets/hardware';
import type { RequestColumns, ServeMetrics } from '../types';
import { applyFactors, type WhatIfFactors } from './factors';
import { type Utilisation, utilisation } from './utilisation';

/** Points of a distribution: its quantiles at 0, 1, ... 100 %. */
const QUANTILES = 101;
export const UTILISATION_BINS = 120;

/** What a reader of sliders sees of one run: small, so that it comes many times a second. */
export interface WhatIfResult {
  readonly metrics: ServeMetrics;
  /** Seconds, ascending; NaN where so many requests never came to it. */
  readonly ttftQuantiles: Float64Array;
  readonly e2eQuantiles: Float64Array;
  readonly utilisation: Utilisation;
  readonly notes: readonly string[];
  readonly wallSeconds: number;
}

/** A run under changed factors; `result` when `advance` has returned false. */
export interface WhatIfRun extends Pick<Simulation, 'advance'> {
  result(): WhatIfResult;
}

/**
 * The run of a serve cell under other conditions.
 * @param tables parsed content of the bound file, where the cost model needs one
 * @throws Error with one sentence: no fit, a model too large, a factor that is not above 0
 */
export function createWhatIfRun(
  given: ServeParams,
  load: Workload,
  tables: unknown,
  factors: WhatIfFactors,
): WhatIfRun {
  const startedAt = performance.now();
  const { params, workload, model } = applyFactors(given, load, factors);
  const simulation = createSimulation(params, workload, makeCostModel(params, tables, model), {
    model,
  });
  return {
    advance: (iterations) => simulation.advance(iterations),
    result() {
      const run = simulation.result();
      const { requests } = run;
      const hardware = HARDWARE[params.hardware];
      const isFixedCost = !['roofline', 'calibrated'].includes(run.costModel.kind);
      return {
        metrics: run.metrics,
        ttftQuantiles: quantiles(requests, requests.firstTokenSeconds),
        e2eQuantiles: quantiles(requests, requests.completedSeconds),
        utilisation: utilisation(run, model, hardware, UTILISATION_BINS),
        notes:
          isFixedCost && factors.kvBytesPerToken !== 1
            ? [
                'measured tables know one size of KV: its factor changes memory and transfers, not the time of an iteration',
              ]
            : [],
        wallSeconds: (performance.now() - startedAt) / 1000,
      };
    },
  };
}

/** Quantiles from arrival to `until`, over all requests: what never came counts as the slowest. */
function quantiles({ arrivalSeconds }: RequestColumns, until: Float64Array): Float64Array {
  const seconds = until.map((at, i) => at - (arrivalSeconds[i] as number));
  // NaN sorts last in a typed array.
  seconds.sort();
  const last = seconds.length - 1;
  return Float64Array.from({ length: QUANTILES }, (_, q) =>
    last < 0 ? Number.NaN : (seconds[Math.round((q / (QUANTILES - 1)) * last)] as number),
  );
}
