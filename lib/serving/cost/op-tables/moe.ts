import type { CsvTable } from './csv';
import { type Curve, makeCurve, segmentOf, valueAt } from './curve';

/** Routing of a mixture of experts: each token goes to `perToken` of `count` experts. */
export interface Experts {
  readonly count: number;
  readonly perToken: number;
}

/** Time of one mixture-of-experts block by tokens and distinct experts, microseconds. */
export interface MoeTable {
  readonly reach: { readonly tokens: number };
  microseconds(tokens: number, activatedExperts: number): number;
}

/**
 * Distinct experts that `tokens` tokens reach when each draws `perToken` of `count` uniformly:
 * count (1 - (1 - perToken / count)^tokens). A trained gate reaches fewer.
 */
export function expectedExperts({ count, perToken }: Experts, tokens: number): number {
  return count * (1 - (1 - perToken / count) ** tokens);
}

/**
 * The table of `moe.csv`: linear in tokens and in activated experts. Where the file has one part
 * for each expert-parallel degree (`ep`), degree 1 is read.
 *
 * @throws Error when no row is of degree 1, or a point is there twice
 */
export function readMoeTable(table: CsvTable): MoeTable {
  const tokens = table.numbers('tokens');
  const experts = table.numbers('activated_experts');
  const time = table.numbers('time_us');
  const degree = table.has('ep') ? table.numbers('ep') : undefined;
  const groups = new Map<number, [sizes: number[], values: number[]]>();
  let largest = 0;
  for (let row = 0; row < table.rows; row++) {
    if ((degree?.[row] ?? 1) !== 1) continue;
    const key = experts[row] as number;
    const group = groups.get(key) ?? [[], []];
    groups.set(key, group);
    group[0].push(tokens[row] as number);
    group[1].push(time[row] as number);
    largest = Math.max(largest, tokens[row] as number);
  }
  if (groups.size === 0) throw new Error(`${table.file}: no row of expert-parallel degree 1`);
  const counts = Float64Array.from(groups.keys()).sort();
  const curves = Array.from(counts, (count): Curve => {
    const [sizes, values] = groups.get(count) ?? [[], []];
    return makeCurve(`${table.file}: ${count} activated experts`, sizes, values);
  });
  return {
    reach: { tokens: largest },
    microseconds(size, activated) {
      if (counts.length === 1 || activated <= (counts[0] as number)) {
        return valueAt(curves[0] as Curve, size);
      }
      const i = segmentOf(counts, activated);
      const from = counts[i] as number;
      const share = (activated - from) / ((counts[i + 1] as number) - from);
      const low = valueAt(curves[i] as Curve, size);
      return low + share * (valueAt(curves[i + 1] as Curve, size) - low);
    },
  };
}
