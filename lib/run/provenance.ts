import type { JobCell } from './job-kinds';
import { KIND_VERSIONS } from './job-kinds';
import type { CellOutput, CellResult, Provenance } from './types';

/** What the runner knows of a run besides its output. */
export interface RunFacts {
  readonly appVersion: string;
  readonly specHash: string;
  readonly computedAtMilliseconds: number;
  readonly wallSeconds: number;
  /** Results of the cell's inputs, in input order. */
  readonly inputs: readonly CellResult[];
}

/** How a result came about, from its cell, its output and the circumstances of the run. */
export function makeProvenance(cell: JobCell, output: CellOutput, facts: RunFacts): Provenance {
  const common = {
    appVersion: facts.appVersion,
    specHash: facts.specHash,
    kindVersion: KIND_VERSIONS[cell.kind],
    computedAt: new Date(facts.computedAtMilliseconds).toISOString(),
    recorded: false,
    wallSeconds: facts.wallSeconds,
    simulated: false,
    clock: undefined,
    precision: undefined,
    adapter: undefined,
    costModel: undefined,
  } as const;
  switch (output.kind) {
    case 'workload':
      return { ...common, seed: output.value.seed, engine: 'cpu' };
    case 'serve': {
      const [input] = facts.inputs;
      return {
        ...common,
        simulated: true,
        seed: input?.output.kind === 'workload' ? input.output.value.seed : undefined,
        engine: 'simulator',
        costModel: output.value.costModel.label,
      };
    }
    default:
      return {
        ...common,
        seed: output.value.params.seed,
        clock: output.value.timing.clock,
        // The CPU engine is the f64 reference.
        precision: output.value.engine === 'cpu' ? 'f64' : 'f32',
        engine: output.value.engine,
        adapter: output.value.adapter,
      };
  }
}
