/** One CSV of an operator table: named columns of numbers, and at most a few of labels. */
export interface CsvTable {
  readonly file: string;
  readonly rows: number;
  has(name: string): boolean;
  /** @throws Error when the column is missing */
  numbers(name: string): Float64Array;
  /** @throws Error when the column is missing */
  labels(name: string): readonly string[];
  /** Line of the file that row `row` stands on. */
  line(row: number): number;
}

/** Columns whose values are names, not numbers. */
const LABEL_COLUMNS = /^(layer|n_label|skew_rate_label|kv_big_label|kp_label|raw_key)$/;
/** Names under which other tools keep times in other units. */
const OTHER_TIME_COLUMNS = /^(time|latency)[_(]?(ms|ns|s)\)?$/;
/** No kernel launch is shorter, so a smaller value is in another unit. */
const LEAST_MICROSECONDS = 0.05;

/**
 * Reads a table with a header line. Every other column is numeric; `time_us` must be a plausible
 * time in microseconds.
 * @throws Error naming file, line and value
 */
export function readCsvTable(file: string, text: string, needed: readonly string[]): CsvTable {
  const lines = text.replace(/^\uFEFF/, '').split(/\r?\n/);
  const names = (lines[0] ?? '').split(',').map((name) => name.trim());
  const missing = needed.filter((name) => !names.includes(name));
  if (missing.length > 0) {
    const other = names.find((name) => OTHER_TIME_COLUMNS.test(name));
    const hint =
      missing.includes('time_us') && other !== undefined
        ? `: the times are in "${other}", and the table needs microseconds in "time_us"`
        : ` (found ${names.map((name) => JSON.stringify(name)).join(', ')})`;
    throw new Error(
      `${file}: line 1: missing column ${missing.map((name) => `"${name}"`).join(', ')}${hint}`,
    );
  }
  const numeric = names.map((name) => (LABEL_COLUMNS.test(name) ? undefined : ([] as number[])));
  const labels = names.map((name) => (LABEL_COLUMNS.test(name) ? ([] as string[]) : undefined));
  const lineOfRow: number[] = [];
  for (let i = 1; i < lines.length; i++) {
    const line = lines[i] as string;
    if (line.trim() === '') continue;
    const fields = line.split(',');
    if (fields.length !== names.length) {
      throw new Error(`${file}: line ${i + 1}: ${fields.length} fields (expected ${names.length})`);
    }
    for (let c = 0; c < names.length; c++) {
      const field = (fields[c] as string).trim();
      labels[c]?.push(field);
      numeric[c]?.push(readNumber(file, i + 1, names[c] as string, field));
    }
    lineOfRow.push(i + 1);
  }
  if (lineOfRow.length === 0) throw new Error(`${file}: the table has a header and no rows`);
  const indexOf = (name: string): number => {
    const index = names.indexOf(name);
    if (index < 0) throw new Error(`${file}: line 1: missing column "${name}"`);
    return index;
  };
  return {
    file,
    rows: lineOfRow.length,
    has: (name) => names.includes(name),
    numbers: (name) => Float64Array.from(numeric[indexOf(name)] ?? []),
    labels: (name) => labels[indexOf(name)] ?? [],
    line: (row) => lineOfRow[row] ?? 0,
  };
}

function readNumber(file: string, line: number, name: string, text: string): number {
  const value = text === '' ? Number.NaN : Number(text);
  const fail = (expected: string): never => {
    throw new Error(
      `${file}: line ${line}: invalid ${name}: ${JSON.stringify(text)} (expected ${expected})`,
    );
  };
  if (!Number.isFinite(value)) return fail('a number');
  if (name === 'time_us') {
    if (!(value >= LEAST_MICROSECONDS)) {
      return fail(`microseconds of at least ${LEAST_MICROSECONDS}; is it in milliseconds?`);
    }
  } else if (name !== 'alpha' && value < 0) return fail('a number from 0');
  return value;
}
