import { createSimulation } from '../serving/core/simulation';
import { makeCostModel } from '../serving/cost/make-cost-model';
import { type ServeParams, serveParams } from '../spec/kinds/serve';
import { workloadParams } from '../spec/kinds/workload';
import { generated } from '../workload/generated';

/** Runs of a strategy until its code is compiled: together a tenth of a second. */
const WARM_RUNS = 4;
const WARM_REQUESTS = 500;

/** Simulates each strategy a few times, so that the first real run finds its code compiled. */
export function warmUp(strategies: readonly ServeParams[]): void {
  const load = workloadParams.parse({ source: { type: 'generator', requests: WARM_REQUESTS } });
  if (load.source.type !== 'generator') return;
  const workload = generated(load, load.source);
  for (const given of strategies) {
    // Tables may not be bound yet; whatever a strategy cannot run, its cell will say.
    const params = { ...given, costModel: serveParams.parse({}).costModel };
    try {
      for (let run = 0; run < WARM_RUNS; run++) {
        const simulation = createSimulation(params, workload, makeCostModel(params));
        while (simulation.advance(1_000_000));
        simulation.result();
      }
    } catch {}
  }
}
