import { makeCostModel } from '../../serving/cost/make-cost-model';
import { maximumRate, type SweepSubject, sweepRates } from '../../serving/sweep';
import { isGenerated } from '../../spec/kinds/workload';
import type { CellOf, Notebook } from '../../spec/notebook';
import { sweepCsv } from '../../views/sweep-rows';
import { workloadAtRate } from '../../workload/at-rate';
import { command, onlyArgument, readArguments, wholeNumber } from '../command-line';
import { notebookOf } from '../read-notebook';

const USAGE = `usage: headroom sweep FILE --cell ID (--rates A,B,C | --maximum) [--seeds N]

  --cell ID      a serve cell over a generated workload
  --rates A,B    requests per second to try, at most 200
  --maximum      searches the highest rate that holds the cell's SLO, to 2 %
  --seeds N      seeds per rate, counted from the workload's own (1..50, default 3)

Writes CSV to standard output: per rate the mean, least and most over the seeds. A point where some
seed's queue grew without bound counts them in unstable_seeds: its figures depend on the length of
the trace.`;

interface Options {
  readonly file: string;
  readonly cellId: string;
  readonly rates: readonly number[] | undefined;
  readonly seeds: number;
}

function parseSweepOptions(args: readonly string[]): Options {
  const { values, positionals } = readArguments(args, {
    cell: { type: 'string' },
    rates: { type: 'string' },
    maximum: { type: 'boolean', default: false },
    seeds: { type: 'string', default: '3' },
  });
  const file = onlyArgument(positionals, 'FILE');
  if (values.cell === undefined) throw new Error('missing --cell');
  if ((values.rates === undefined) === !values.maximum)
    throw new Error('expected either --rates or --maximum');
  const seeds = wholeNumber('--seeds', values.seeds, 1, 50);
  const rates = values.rates?.split(',').map((text) => {
    const rate = Number(text);
    if (text.trim() === '' || !(rate > 0 && rate <= 10_000))
      throw new Error(`invalid --rates: ${text} (expected above 0, at most 10000)`);
    return rate;
  });
  if (rates !== undefined && rates.length > 200)
    throw new Error(`invalid --rates: ${rates.length} rates (expected at most 200)`);
  return { file, cellId: values.cell, rates, seeds };
}

/** The serve cell and its workload as a subject. @throws Error with one sentence */
export function sweepSubject(notebook: Notebook, cellId: string, seeds: number): SweepSubject {
  const cell = notebook.cells.find(({ id }) => id === cellId);
  if (cell?.kind !== 'serve') {
    const known = notebook.cells.filter(({ kind }) => kind === 'serve').map(({ id }) => id);
    throw new Error(`no serve cell "${cellId}" (found ${known.join(', ') || 'none'})`);
  }
  const load = notebook.cells.find(
    (each): each is CellOf<'workload'> => each.kind === 'workload' && cell.inputs.includes(each.id),
  );
  if (load === undefined || !isGenerated(load.params.source))
    throw new Error(`cell "${cellId}": needs a generated workload, whose rate can be set`);
  if (cell.params.costModel.type === 'tables')
    throw new Error(
      `cell "${cellId}": cost model tables needs a file, which a sweep does not take`,
    );
  const { params } = load;
  return {
    params: cell.params,
    costModel: makeCostModel(cell.params),
    seeds,
    workloadAt: (ratePerSecond, repeat) =>
      workloadAtRate({ type: 'generator', params }, ratePerSecond, repeat),
  };
}

/** `headroom sweep`. See `USAGE`. */
export const sweepCommand = command(USAGE, parseSweepOptions, async (options) => {
  const { notebook } = await notebookOf(options.file);
  const subject = sweepSubject(notebook, options.cellId, options.seeds);
  if (options.rates !== undefined) {
    process.stdout.write(sweepCsv(sweepRates(subject, options.rates)));
    return 0;
  }
  const found = maximumRate(subject);
  process.stdout.write(sweepCsv(found.points));
  console.error(
    found.ratePerSecond === 0
      ? `no rate down to ${found.points[0]?.ratePerSecond} /s holds the SLO`
      : `holds at ${found.ratePerSecond} /s, not at ${found.failsAtPerSecond} /s`,
  );
  return 0;
});
