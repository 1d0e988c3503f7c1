/** Rows of one table that pass a filter, as columns of numbers. */
export interface SiliconRows {
  readonly rows: number;
  readonly columns: Readonly<Record<string, Float64Array>>;
}

/**
 * Reads the rows of an AIConfigurator table that have the given values.
 *
 * @param numbers numeric columns to keep; `latency` is in milliseconds
 * @throws Error naming file, line and value, or the values that no row has
 */
export function readSiliconRows(
  file: string,
  text: string,
  where: Readonly<Record<string, string | number>>,
  numbers: readonly string[],
): SiliconRows {
  const lines = text.split('\n');
  const names = (lines[0] ?? '').trim().split(',');
  const indexOf = (name: string): number => {
    const index = names.indexOf(name);
    if (index < 0) {
      throw new Error(`${file}: line 1: missing column "${name}" (found ${names.join(', ')})`);
    }
    return index;
  };
  const filters = Object.entries(where).map(
    ([name, value]) => [indexOf(name), String(value)] as const,
  );
  const kept = numbers.map((name) => [indexOf(name), name, [] as number[]] as const);
  for (let i = 1; i < lines.length; i++) {
    const line = lines[i] as string;
    if (line === '') continue;
    const fields = line.split(',');
    if (!filters.every(([at, value]) => fields[at] === value)) continue;
    for (const [at, name, column] of kept) {
      const value = fields[at] === '' ? Number.NaN : Number(fields[at]);
      if (!(value >= 0)) {
        throw new Error(
          `${file}: line ${i + 1}: invalid ${name}: ${JSON.stringify(fields[at])} (expected a number from 0)`,
        );
      }
      column.push(value);
    }
  }
  const rows = kept[0]?.[2].length ?? 0;
  if (rows === 0) {
    const wanted = Object.entries(where).map(([name, value]) => `${name} ${value}`);
    throw new Error(`${file}: no row of ${wanted.join(', ')}`);
  }
  return {
    rows,
    columns: Object.fromEntries(kept.map(([, name, values]) => [name, Float64Array.from(values)])),
  };
}
