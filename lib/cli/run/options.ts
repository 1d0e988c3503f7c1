import { onlyArgument, readArguments, wholeNumber } from '../command-line';

export const RUN_USAGE = `usage: headroom run FILE --out RESULTS.json [options]

Runs every cell of a notebook and writes what came out. The simulator runs in this process;
attention cells run on WebGPU in a headless Chromium over the built page (npm run build).

  --out PATH         results as JSON; - writes to standard output
  --bind CELL=PATH   the file that a workload, serve or attention cell reads; once per cell
  --seed N           overrides the seed of every cell that has one
  --cpu              runs attention cells on the CPU reference; needs no browser and no build
  --timelines        includes every iteration of serve cells and the distribution of token gaps;
                     without it the results hold metrics and one value per request and column

Results: {notebook, cells: {ID: {state, result, provenance}}}. Columns are arrays of numbers;
what did not happen before the horizon, NaN in the page, is null.
Exit code 1 with FILE:LINE: MESSAGE if the notebook is not valid or a cell fails, 2 if the command
line is wrong; nothing is written then.`;

const MAX_SEED = 2 ** 31 - 1;

export interface Binding {
  readonly cellId: string;
  readonly path: string;
}

export interface RunOptions {
  readonly file: string;
  readonly out: string;
  readonly bindings: readonly Binding[];
  readonly seed: number | undefined;
  readonly isCpuOnly: boolean;
  readonly hasTimelines: boolean;
}

function parseBinding(text: string): Binding {
  const at = text.indexOf('=');
  if (at <= 0 || at === text.length - 1)
    throw new Error(`invalid --bind: ${text} (expected CELL=PATH)`);
  return { cellId: text.slice(0, at), path: text.slice(at + 1) };
}

/** Options of `headroom run`. @throws Error with one sentence */
export function parseRunOptions(args: readonly string[]): RunOptions {
  const { values, positionals } = readArguments(args, {
    out: { type: 'string' },
    bind: { type: 'string', multiple: true, default: [] },
    seed: { type: 'string' },
    cpu: { type: 'boolean', default: false },
    timelines: { type: 'boolean', default: false },
  });
  const file = onlyArgument(positionals, 'FILE');
  if (values.out === undefined) throw new Error('missing --out');
  const bindings = values.bind.map(parseBinding);
  const twice = bindings.find(({ cellId }, i) =>
    bindings.some((other, j) => j < i && other.cellId === cellId),
  );
  if (twice !== undefined) throw new Error(`two files bound to cell "${twice.cellId}"`);
  return {
    file,
    out: values.out,
    bindings,
    seed: values.seed === undefined ? undefined : wholeNumber('--seed', values.seed, 0, MAX_SEED),
    isCpuOnly: values.cpu,
    hasTimelines: values.timelines,
  };
}
