import { type AttentionGrid, readAttentionGrid } from './attention-grid';
import { type CsvTable, readCsvTable } from './csv';
import { type Curve, makeCurve } from './curve';
import { type MoeTable, readMoeTable } from './moe';
import { isSkewOff, readSkewTerm, type SkewTerm } from './skew';
import { parseYamlSubset, type YamlValue } from './yaml-subset';

/** Text of the files of a profile by name, `dense.csv` or `tp1/dense.csv`. */
export type OpTableFiles = Readonly<Record<string, string>>;

/** A profile of one model on one accelerator at one tensor-parallel degree. */
export interface OpTables {
  readonly tensorParallel: number;
  readonly dense: ReadonlyMap<string, Curve>;
  readonly perSequence: ReadonlyMap<string, Curve>;
  readonly attention: AttentionGrid;
  readonly skew: SkewTerm | undefined;
  readonly moe: MoeTable | undefined;
  /** The expert table was taken from degree 1, where one rank holds whole experts. */
  readonly isMoeOfOneRank: boolean;
  readonly meta: YamlValue;
  /** Files that are there and were not used, and why, in words. */
  readonly leftOut: readonly string[];
}

const NEEDED = ['dense.csv', 'per_sequence.csv', 'attention.csv'] as const;
/** An operator of one layer takes less than this for one token or sequence on any accelerator. */
const MOST_MICROSECONDS_AT_ONE = 10_000;

function curvesOf(table: CsvTable, size: 'tokens' | 'sequences'): ReadonlyMap<string, Curve> {
  const layers = table.labels('layer');
  const sizes = table.numbers(size);
  const times = table.numbers('time_us');
  const groups = new Map<string, [sizes: number[], values: number[]]>();
  for (let row = 0; row < table.rows; row++) {
    const name = layers[row] as string;
    const at = sizes[row] as number;
    if (!Number.isInteger(at) || at < 1) {
      throw new Error(
        `${table.file}: line ${table.line(row)}: invalid ${size}: ${at} (expected an integer from 1)`,
      );
    }
    if (at === 1 && (times[row] as number) > MOST_MICROSECONDS_AT_ONE) {
      throw new Error(
        `${table.file}: line ${table.line(row)}: invalid time_us: ${times[row]} for ${name} at ${size} 1 (expected microseconds up to ${MOST_MICROSECONDS_AT_ONE}; is it in nanoseconds?)`,
      );
    }
    const group = groups.get(name) ?? [[], []];
    groups.set(name, group);
    group[0].push(at);
    group[1].push(times[row] as number);
  }
  return new Map(
    Array.from(groups, ([name, [at, values]]) => [
      name,
      makeCurve(`${table.file}: ${name}`, at, values),
    ]),
  );
}

/**
 * Reads a profile in the layout of LLMServingSim: `dense.csv` (layer, tokens, time_us),
 * `per_sequence.csv` (layer, sequences, time_us), `attention.csv` (prefill_chunk, kv_prefill,
 * n_decode, kv_decode, time_us), and where they are there `skew_fit.csv`, `moe.csv` and
 * `meta.yaml`. Files under `tp<N>/` serve degree N; files without a folder serve any.
 *
 * @throws Error naming the file, line and value that is missing or wrong
 */
export function readOpTables(files: OpTableFiles, tensorParallel: number): OpTables {
  const find = (name: string): string | undefined => {
    const inDegree = `tp${tensorParallel}/${name}`;
    const paths = Object.keys(files);
    return (
      paths.find((path) => path === inDegree || path.endsWith(`/${inDegree}`)) ??
      paths.find((path) => path === name)
    );
  };
  const missing = NEEDED.filter((name) => find(name) === undefined);
  if (missing.length > 0) {
    const degrees = Object.keys(files).flatMap(
      (path) => /tp(\d+)\/dense\.csv$/.exec(path)?.[1] ?? [],
    );
    const there =
      degrees.length > 0
        ? `there is tensorParallel ${degrees.join(', ')}`
        : `found ${Object.keys(files).join(', ') || 'no file'}`;
    throw new Error(
      `operator tables for tensorParallel ${tensorParallel}: missing ${missing.join(', ')} (${there})`,
    );
  }
  const table = (name: string, columns: readonly string[]): CsvTable | undefined => {
    const path = find(name);
    return path === undefined ? undefined : readCsvTable(path, files[path] as string, columns);
  };
  const need = (name: string, columns: readonly string[]): CsvTable =>
    table(name, columns) as CsvTable;
  const metaPath = Object.keys(files).find((path) => /(^|\/)meta\.yaml$/.test(path));
  const meta = metaPath === undefined ? {} : parseYamlSubset(metaPath, files[metaPath] as string);
  const attentionPath = find('attention.csv') as string;
  const attentionHeader = (files[attentionPath] as string).slice(0, 200).split('\n')[0] ?? '';
  const moeColumns = ['tokens', 'activated_experts', 'time_us'];
  const ownMoe = table('moe.csv', moeColumns);
  const moeOfOne = Object.keys(files).find((path) => /(^|\/)tp1\/moe\.csv$/.test(path));
  const moe =
    ownMoe ??
    (moeOfOne === undefined
      ? undefined
      : readCsvTable(moeOfOne, files[moeOfOne] as string, moeColumns));
  return {
    tensorParallel,
    dense: curvesOf(need('dense.csv', ['layer', 'tokens', 'time_us']), 'tokens'),
    perSequence: curvesOf(need('per_sequence.csv', ['layer', 'sequences', 'time_us']), 'sequences'),
    attention: readAttentionGrid(
      need('attention.csv', [
        /\bprefill_tokens\b/.test(attentionHeader) ? 'prefill_tokens' : 'prefill_chunk',
        /\bprefill_key\b/.test(attentionHeader) ? 'prefill_key' : 'kv_prefill',
        'n_decode',
        'kv_decode',
        'time_us',
      ]),
    ),
    skew: readSkewTerm(
      table('skew_fit.csv', [
        'pc',
        'n_label',
        'skew_rate_label',
        'kv_big_label',
        'kp_label',
        'alpha',
      ]),
      meta,
      tensorParallel,
    ),
    moe: moe === undefined ? undefined : readMoeTable(moe),
    isMoeOfOneRank: ownMoe === undefined && moe !== undefined && tensorParallel > 1,
    meta,
    leftOut:
      isSkewOff(meta) && find('skew_fit.csv') !== undefined
        ? ['skew_fit.csv left out: meta.yaml has skew_fit.enabled: false']
        : [],
  };
}
