import type { AttentionResult } from '../attention/types';
import type { Percentiles, ServeResult } from '../serving/types';
import type { TableParams } from '../spec/kinds/views';
import { formatCount, formatError, formatPercent, formatSeconds } from './format';
import type { ViewInput } from './view-input';

/** One column of a comparison: how to read it, print it, and which end is better. */
export interface Column<T> {
  readonly id: string;
  readonly header: string;
  readonly value: (result: T) => number;
  readonly print: (value: number) => string;
  readonly better: 'low' | 'high' | undefined;
}

/** Serving metrics side by side, at one percentile. */
export function serveColumns(
  percentile: TableParams['percentile'],
): readonly Column<ServeResult>[] {
  const at = (
    id: string,
    name: string,
    pick: (result: ServeResult) => Percentiles,
  ): Column<ServeResult> => ({
    id,
    header: `${name} ${percentile}`,
    value: (result) => pick(result)[percentile],
    print: formatSeconds,
    better: 'low',
  });
  return [
    {
      id: 'accelerators',
      header: 'accelerators',
      value: (r) => r.accelerators,
      print: formatCount,
      better: undefined,
    },
    at('ttft', 'TTFT', (r) => r.metrics.ttftSeconds),
    at('tpot', 'TPOT', (r) => r.metrics.tpotSeconds),
    at('tbt', 'TBT', (r) => r.metrics.tbtSeconds),
    {
      id: 'stall',
      header: 'longest stall',
      value: (r) => r.metrics.tbtSeconds.max,
      print: formatSeconds,
      better: 'low',
    },
    at('e2e', 'end to end', (r) => r.metrics.e2eSeconds),
    {
      id: 'tokens',
      header: 'output tok/s',
      value: (r) => r.metrics.outputTokensPerSecond,
      print: formatCount,
      better: 'high',
    },
    {
      id: 'kv',
      header: 'KV max',
      value: (r) => r.metrics.kvUse.max,
      print: formatPercent,
      better: undefined,
    },
    {
      id: 'attainment',
      header: 'SLO attainment',
      value: (r) => r.metrics.sloAttainment,
      print: formatPercent,
      better: 'high',
    },
    {
      id: 'goodput',
      header: 'goodput req/s',
      value: (r) => r.metrics.goodputPerSecond,
      print: formatCount,
      better: 'high',
    },
    {
      id: 'goodput-each',
      header: 'per accelerator',
      value: (r) => r.metrics.goodputPerSecond / r.accelerators,
      print: formatCount,
      better: 'high',
    },
    {
      id: 'restarts',
      header: 'restarts',
      value: (r) => r.metrics.restarts,
      print: formatCount,
      better: 'low',
    },
    {
      id: 'unstable',
      header: 'stable',
      value: (r) => (r.metrics.unstable ? 0 : 1),
      print: (v) => (v === 1 ? 'yes' : 'NO'),
      better: undefined,
    },
  ];
}

export const ATTENTION_COLUMNS: readonly Column<AttentionResult>[] = [
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
  {
    id: 'roof',
    header: '% of roof',
    value: (r) => r.percentOfRoof ?? Number.NaN,
    print: formatCount,
    better: 'high',
  },
  {
    id: 'density',
    header: 'density',
    value: (r) => r.density.elements,
    print: formatPercent,
    better: undefined,
  },
  {
    id: 'error',
    header: 'max error',
    value: (r) => r.error?.maxAbs ?? Number.NaN,
    print: formatError,
    better: 'low',
  },
];

export interface ComparisonCell {
  readonly value: number;
  readonly text: string;
  readonly isBest: boolean;
}

export interface Comparison {
  readonly headers: readonly { readonly id: string; readonly header: string }[];
  readonly rows: readonly {
    readonly id: string;
    readonly isStale: boolean;
    readonly cells: readonly ComparisonCell[] | undefined;
    readonly provenance: string;
  }[];
}

/** A table of inputs of one kind; what has not run has a row without cells. */
export function compare<T>(
  inputs: readonly ViewInput[],
  columns: readonly Column<T>[],
  resultOf: (input: ViewInput) => T | undefined,
): Comparison {
  const results = inputs.map(resultOf);
  const best = columns.map(({ value, better }) => {
    const values = results
      .flatMap((result) => (result === undefined ? [] : [value(result)]))
      .filter(Number.isFinite);
    if (better === undefined || values.length < 2 || new Set(values).size < 2) return Number.NaN;
    return better === 'low' ? Math.min(...values) : Math.max(...values);
  });
  return {
    headers: columns.map(({ id, header }) => ({ id, header })),
    rows: inputs.map((input, i) => {
      const result = results[i];
      return {
        id: input.id,
        isStale: input.isStale,
        provenance: input.result === undefined ? '' : provenanceWords(input),
        cells:
          result === undefined
            ? undefined
            : columns.map(({ value, print }, c) => {
                const number = value(result);
                return { value: number, text: print(number), isBest: number === best[c] };
              }),
      };
    }),
  };
}

function provenanceWords({ result }: ViewInput): string {
  if (result === undefined) return '';
  const { provenance } = result;
  const parts = [
    provenance.recorded ? 'recorded' : undefined,
    provenance.simulated ? 'simulated' : provenance.engine,
    provenance.costModel ?? provenance.adapter?.description,
  ];
  return parts.filter((part) => part !== undefined && part !== '').join(', ');
}

/** The comparison as CSV (RFC 4180), numbers unrounded. */
export function comparisonCsv({ headers, rows }: Comparison): string {
  const quote = (text: string) =>
    /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  const lines = rows.map((row) =>
    [
      row.id,
      ...(row.cells ?? headers.map(() => undefined)).map((cell) =>
        cell === undefined ? '' : String(cell.value),
      ),
      row.provenance,
    ]
      .map(quote)
      .join(','),
  );
  return `${[['cell', ...headers.map(({ header }) => header), 'provenance'].map(quote).join(','), ...lines].join('\r\n')}\r\n`;
}
