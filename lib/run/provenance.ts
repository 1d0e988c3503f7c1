import type { JobCell } from './job-kinds';
import { KIND_VERSIONS } from './job-kinds';
import type { CellOutput, CellResult, Provenance } from './types';
import type { KernelOutput } from './worker-api';

/** What the runner knows of a run besides its output. */
export interface RunFacts {
  readonly appVersion: string;
  readonly specHash: string;
  readonly computedAtMilliseconds: number;
  readonly wallSeconds: number;
  /** Results of the cells that it read, its inputs first. */
  readonly inputs: readonly CellResult[];
}

/** The seed of a kernel's result; undefined where its inputs are a file's and no table is seeded. */
function seedOf(output: KernelOutput): number | undefined {
  if (output.kind !== 'attention') return output.value.params.seed;
  const { inputs, variant, seed } = output.value.params;
  const hasTables =
    variant.type === 'documents' || (variant.type === 'formula' && variant.tables.length > 0);
  return inputs.source === 'file' && !hasTables ? undefined : seed;
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
    case 'cache':
    case 'model':
      return {
        ...common,
        seed: output.kind === 'cache' ? output.value.params.seed : undefined,
        clock: 'performance.now',
        precision: 'f32',
        engine: output.value.engine,
        adapter: output.value.adapter,
      };
    case 'recall-gap':
      return {
        ...common,
        seed: output.value.params.seed,
        clock: 'performance.now',
        precision: 'f32',
        engine: 'reference',
      };
    case 'speculate': {
      const { params, engine } = output.value;
      return {
        ...common,
        seed: params.text.type === 'sample' ? params.text.seed : undefined,
        clock: 'performance.now',
        precision: 'f32',
        engine,
      };
    }
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
    case 'check': {
      const { seed } = output.value.params;
      return output.value.lab === 'cache'
        ? { ...common, seed, precision: 'f32', engine: output.value.engine ?? 'cpu' }
        : { ...common, simulated: true, seed, engine: 'simulator' };
    }
    case 'sweep':
    case 'plan':
      return {
        ...common,
        simulated: true,
        seed: output.value.seed,
        engine: 'simulator',
        costModel: output.value.costModel.label,
      };
    default:
      return {
        ...common,
        seed: seedOf(output),
        clock: output.value.timing.clock,
        // The CPU engine is the f64 reference.
        precision: output.value.engine === 'cpu' ? 'f64' : 'f32',
        engine: output.value.engine,
        adapter: output.value.adapter,
      };
  }
}
