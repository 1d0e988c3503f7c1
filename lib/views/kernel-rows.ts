import type { ComposeCallResult, ComposeResult } from '../attention/compose/result';
import type { StorageResult } from '../attention/decode/result';
import type { RecurrentResult } from '../attention/recurrent/result';
import type { AttentionTiming } from '../attention/types';
import type { TableParams } from '../spec/kinds/views';
import { formatBytes, formatCount, formatError, formatPercent, formatSeconds } from './format';
import {
  ATTENTION_COLUMNS,
  type Column,
  type Comparison,
  compare,
  serveColumns,
} from './serve-rows';
import type { ViewInput } from './view-input';

const number = (value: number | undefined) => value ?? Number.NaN;

function timeColumns<T extends { readonly timing: AttentionTiming }>(): readonly Column<T>[] {
  return [
    {
      id: 'time',
      header: 'median time',
      value: (r) => r.timing.medianSeconds,
      print: formatSeconds,
      better: 'low',
    },
    {
      id: 'gflops',
      header: 'GFLOP/s',
      value: (r) => r.timing.gigaflopsPerSecond,
      print: formatCount,
      better: 'high',
    },
  ];
}

/** Compositions as a whole. */
export const COMPOSE_COLUMNS: readonly Column<ComposeResult>[] = [
  ...timeColumns<ComposeResult>(),
  {
    id: 'composing',
    header: 'composing',
    value: (r) => r.composeSeconds,
    print: formatSeconds,
    better: 'low',
  },
  {
    id: 'one-call',
    header: 'as one call',
    value: (r) => number(r.oneCallSeconds),
    print: formatSeconds,
    better: undefined,
  },
  {
    id: 'error',
    header: 'max error',
    value: (r) => r.error.maxAbs,
    print: formatError,
    better: 'low',
  },
  {
    id: 'missing',
    header: 'pairs unseen',
    value: (r) => number(r.missingShare),
    print: formatPercent,
    better: undefined,
  },
  {
    id: 'distance',
    header: 'from full attention',
    value: ({ distances }) => {
      const [first] = distances;
      return first === undefined
        ? Number.NaN
        : first.perHead.reduce((sum, each) => sum + each, 0) / first.perHead.length;
    },
    print: formatError,
    better: 'low',
  },
  {
    id: 'kept',
    header: 'keys kept',
    value: ({ heads }) =>
      heads.reduce((sum, { keptKeysShare }) => sum + keptKeysShare, 0) / heads.length,
    print: formatPercent,
    better: undefined,
  },
];

/** The calls that compositions are made of. */
export const CALL_COLUMNS: readonly Column<ComposeCallResult>[] = [
  {
    id: 'time',
    header: 'median time',
    value: (r) => r.medianSeconds,
    print: formatSeconds,
    better: undefined,
  },
  {
    id: 'gflops',
    header: 'GFLOP/s',
    value: (r) => r.flops / r.medianSeconds / 1e9,
    print: formatCount,
    better: 'high',
  },
  {
    id: 'roof',
    header: '% of roof',
    value: (r) => number(r.percentOfRoof),
    print: formatCount,
    better: 'high',
  },
  {
    id: 'density',
    header: 'density',
    value: (r) => r.density,
    print: formatPercent,
    better: undefined,
  },
  {
    id: 'mass',
    header: 'LSE share',
    value: (r) => number(r.meanMass),
    print: formatPercent,
    better: undefined,
  },
  {
    id: 'error',
    header: 'max error',
    value: (r) => number(r.error?.maxAbs),
    print: formatError,
    better: 'low',
  },
];

/** Storages of decode steps. */
export const STORAGE_COLUMNS: readonly Column<StorageResult>[] = [
  ...timeColumns<StorageResult>(),
  {
    id: 'bytes',
    header: 'bytes per token',
    value: (r) => r.bytesPerToken,
    print: formatBytes,
    better: 'low',
  },
  {
    id: 'ratio',
    header: 'of f16',
    value: (r) => r.ratioToF16,
    print: formatPercent,
    better: 'low',
  },
  {
    id: 'error',
    header: 'output error',
    value: (r) => r.error.relativeL2,
    print: formatError,
    better: 'low',
  },
  {
    id: 'kernel-error',
    header: 'kernel error',
    value: (r) => number(r.kernelError?.maxAbs),
    print: formatError,
    better: 'low',
  },
  {
    id: 'bandwidth',
    header: 'cache read GB/s',
    value: (r) => r.readGigabytesPerSecond,
    print: formatCount,
    better: 'high',
  },
  {
    id: 'roof',
    header: '% of roof',
    value: (r) => number(r.roofPlace?.percent),
    print: formatCount,
    better: 'high',
  },
];

export const RECURRENT_COLUMNS: readonly Column<RecurrentResult>[] = [
  ...timeColumns<RecurrentResult>(),
  {
    id: 'roof',
    header: '% of roof',
    value: (r) => number(r.roofPlace?.percent),
    print: formatCount,
    better: 'high',
  },
  {
    id: 'error',
    header: 'max error',
    value: (r) => number(r.error?.maxAbs),
    print: formatError,
    better: 'low',
  },
  {
    id: 'state',
    header: 'state',
    value: (r) => r.memory.stateBytes,
    print: formatBytes,
    better: 'low',
  },
  {
    id: 'kv',
    header: 'KV of the same tokens',
    value: (r) => r.memory.kvBytes,
    print: formatBytes,
    better: undefined,
  },
  {
    id: 'recall',
    header: 'recall error, one pair per channel',
    value: ({ recall, params }) =>
      number(recall?.errors[recall.pairs.indexOf(params.shape.keySize)]),
    print: formatError,
    better: 'low',
  },
  {
    id: 'overwrite',
    header: 'overwrite error',
    value: (r) => number(r.recall?.overwriteError),
    print: formatError,
    better: 'low',
  },
];

/** One table of a table cell: cells of a kind, or what they are made of. */
export interface KindTable {
  readonly title: string;
  readonly comparison: Comparison;
  /** Its figures are at the params' percentile. */
  readonly hasPercentile: boolean;
}

/** Parts of a result as rows of their own, named after the cell and the part. */
function partRows<T extends { readonly name: string }>(
  inputs: readonly ViewInput[],
  columns: readonly Column<T>[],
  partsOf: (input: ViewInput) => readonly T[] | undefined,
): Comparison {
  const parts = new Map<ViewInput, T>();
  const rows = inputs.flatMap((input) => {
    const own = partsOf(input);
    if (own === undefined) return [input];
    return own.map((part) => {
      const row = { ...input, id: `${input.id}: ${part.name}` };
      parts.set(row, part);
      return row;
    });
  });
  return compare(rows, columns, (row) => parts.get(row));
}

/** The tables of a table cell, one per kind of its inputs; what has not run has a row all the same. */
export function kindTables(
  inputs: readonly ViewInput[],
  percentile: TableParams['percentile'],
): readonly KindTable[] {
  const tables: KindTable[] = [];
  const of = (...kinds: readonly ViewInput['kind'][]) =>
    inputs.filter(({ kind }) => kinds.includes(kind));
  const add = (title: string, rows: Comparison, hasPercentile = false) => {
    if (rows.rows.length > 0) tables.push({ title, comparison: rows, hasPercentile });
  };
  const serving = of('serve', 'workload');
  add(
    'serving',
    compare(serving, serveColumns(percentile), ({ result }) =>
      result?.output.kind === 'serve' ? result.output.value : undefined,
    ),
    true,
  );
  add(
    'attention',
    compare(of('attention'), ATTENTION_COLUMNS, ({ result }) =>
      result?.output.kind === 'attention' ? result.output.value : undefined,
    ),
  );
  const composed = of('compose');
  const composeOf = ({ result }: ViewInput) =>
    result?.output.kind === 'compose' ? result.output.value : undefined;
  add('compositions', compare(composed, COMPOSE_COLUMNS, composeOf));
  const run = composed.filter((input) => composeOf(input) !== undefined);
  add(
    'their calls',
    partRows(run, CALL_COLUMNS, (input) => composeOf(input)?.calls),
  );
  add(
    'storages of decode steps',
    partRows(of('decode'), STORAGE_COLUMNS, ({ result }) =>
      result?.output.kind === 'decode' ? result.output.value.storages : undefined,
    ),
  );
  add(
    'recurrent layers',
    compare(of('recurrent'), RECURRENT_COLUMNS, ({ result }) =>
      result?.output.kind === 'recurrent' ? result.output.value : undefined,
    ),
  );
  return tables;
}
