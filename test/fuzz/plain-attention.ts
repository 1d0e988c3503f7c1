import type { Quantised } from '../../lib/attention/quantise/types';

/** Which keys a query sees, by closed formulas. */
export type PlainMask =
  | { readonly type: 'dense' }
  | { readonly type: 'causal' }
  | { readonly type: 'sliding-window'; readonly windowTokens: number }
  | {
      readonly type: 'window-sinks';
      readonly windowTokens: number;
      readonly sinkTokens: number;
    };

/** A number as a kernel holds it, and the largest of the terms that it may add up from. */
export interface PlainTensor {
  /** [head, row, column] where heads are batch x kvHeads. */
  at(head: number, row: number, column: number): number;
  /** At least |at|. */
  size(head: number, row: number, column: number): number;
}

export interface PlainShape {
  readonly batch: number;
  readonly queryHeads: number;
  readonly kvHeads: number;
  readonly queries: number;
  readonly keys: number;
  readonly headSize: number;
}

/** Half a unit in the last place of an f32 of magnitude 1. */
const ROUNDING = 2 ** -24;

/** A row that differs from f64 by more than f32 arithmetic explains. */
export interface PlainMismatch {
  readonly batch: number;
  readonly head: number;
  readonly query: number;
  readonly what: string;
}

export const plainNumbers = (values: Float32Array, rows: number, columns: number): PlainTensor => {
  const at = (head: number, row: number, column: number) =>
    values[(head * rows + row) * columns + column]!;
  return { at, size: (...place) => Math.abs(at(...place)) };
};

/**
 * A quantised tensor read from its bits alone: code c of a row lies at bit c x bits; scales and zeros
 * are [heads, groups of tokens, scales per group].
 */
export function plainCodes({ shape, scheme, packed, scales, zeros }: Quantised): PlainTensor {
  const { rows, columns } = shape;
  const { bits, mode, granularity } = scheme;
  const words = Math.ceil((columns * bits) / 32);
  const tokens = 'groupTokens' in granularity ? granularity.groupTokens : 1;
  const groups = Math.ceil(rows / tokens);
  const perGroup = {
    token: 1,
    channel: columns,
    grouped: granularity.type === 'grouped' ? columns / granularity.groupChannels : 0,
    'rope-pair': columns / 2,
  }[granularity.type];
  const columnOf = (column: number) => {
    if (granularity.type === 'token') return 0;
    if (granularity.type === 'grouped') return Math.floor(column / granularity.groupChannels);
    return granularity.type === 'channel' ? column : column % (columns / 2);
  };
  const parts = (head: number, row: number, column: number) => {
    const bit = column * bits;
    const word = packed[(head * rows + row) * words + Math.floor(bit / 32)]!;
    const raw = Math.floor(word / 2 ** (bit % 32)) % 2 ** bits;
    const code = mode === 'symmetric' && raw >= 2 ** (bits - 1) ? raw - 2 ** bits : raw;
    const at = (head * groups + Math.floor(row / tokens)) * perGroup + columnOf(column);
    return [code, scales[at]!, zeros === undefined ? 0 : zeros[at]!] as const;
  };
  return {
    at: (...place) => {
      const [code, scale, zero] = parts(...place);
      return code * scale + zero;
    },
    // Kernels may count codes from the middle of their range or from its end.
    size: (...place) => {
      const [code, scale, zero] = parts(...place);
      return (Math.abs(code) + 2 ** (bits - 1)) * scale + Math.abs(zero);
    },
  };
}

function sees(mask: PlainMask, position: number, key: number): boolean {
  if (mask.type === 'dense') return true;
  if (key > position) return false;
  if (mask.type === 'causal') return true;
  const isNear = position - key < mask.windowTokens;
  return mask.type === 'sliding-window' ? isNear : isNear || key < mask.sinkTokens;
}

export interface PlainCall {
  readonly shape: PlainShape;
  /** [batch, queryHeads, queries, headSize]. */
  readonly query: Float32Array;
  readonly key: PlainTensor;
  readonly value: PlainTensor;
  readonly mask: PlainMask;
  /** Keys of each batch entry; all have `keys` without it. */
  readonly lengths?: readonly number[];
}

/**
 * Compares every row of an output with softmax attention in f64, by its definition and nothing else
 * of this repository. The tolerance follows from the row: rounding errors of a score are those of a
 * sum of headSize products, and the exponent turns them into relative errors of weights.
 *
 * @returns the first row that is off, or undefined
 */
export function findMismatch(
  { shape, query, key, value, mask, lengths }: PlainCall,
  actual: { readonly output: ArrayLike<number>; readonly lse: ArrayLike<number> },
): PlainMismatch | undefined {
  const { batch, queryHeads, kvHeads, queries, headSize } = shape;
  const scale = 1 / Math.sqrt(headSize);
  const scores = new Float64Array(shape.keys);
  for (let b = 0; b < batch; b++) {
    const keys = lengths?.[b] ?? shape.keys;
    for (let h = 0; h < queryHeads; h++) {
      const kv = b * kvHeads + Math.floor((h * kvHeads) / queryHeads);
      for (let i = 0; i < queries; i++) {
        const row = (b * queryHeads + h) * queries + i;
        const position = keys - queries + i;
        let [most, largest, seen] = [Number.NEGATIVE_INFINITY, 0, 0];
        for (let k = 0; k < keys; k++) {
          scores[k] = Number.NEGATIVE_INFINITY;
          if (!sees(mask, position, k)) continue;
          let [sum, size] = [0, 0];
          for (let d = 0; d < headSize; d++) {
            const q = query[row * headSize + d]!;
            sum += q * key.at(kv, k, d);
            size += Math.abs(q) * key.size(kv, k, d);
          }
          scores[k] = sum * scale;
          most = Math.max(most, sum * scale);
          largest = Math.max(largest, size * scale);
          seen++;
        }
        const off = (what: string) => ({ batch: b, head: h, query: i, what });
        const lse = actual.lse[row]!;
        if (seen === 0) {
          if (lse !== Number.NEGATIVE_INFINITY) return off(`masked row has lse ${lse}`);
          for (let d = 0; d < headSize; d++) {
            const got = actual.output[row * headSize + d]!;
            if (got !== 0) return off(`masked row has output ${got} at dim ${d}`);
          }
          continue;
        }
        const slack = ROUNDING * (16 + 3 * Math.sqrt(headSize)) * largest + 4e-6;
        let total = 0;
        for (let k = 0; k < keys; k++) total += Math.exp(scores[k]! - most);
        const expected = most + Math.log(total);
        const sums = ROUNDING * (16 + 4 * Math.sqrt(seen));
        if (!(Math.abs(lse - expected) <= slack + sums + 4 * ROUNDING * Math.abs(expected))) {
          return off(`lse ${lse} (expected ${expected})`);
        }
        const relative = Math.expm1(Math.min(2 * slack, 50)) + sums;
        for (let d = 0; d < headSize; d++) {
          let [sum, bound] = [0, 0];
          for (let k = 0; k < keys; k++) {
            if (scores[k] === Number.NEGATIVE_INFINITY) continue;
            const weight = Math.exp(scores[k]! - most) / total;
            sum += weight * value.at(kv, k, d);
            bound = Math.max(bound, value.size(kv, k, d));
          }
          const got = actual.output[row * headSize + d]!;
          if (!(Math.abs(got - sum) <= 2 * relative * bound)) {
            return off(`output ${got} at dim ${d} (expected ${sum} +- ${2 * relative * bound})`);
          }
        }
      }
    }
  }
  return undefined;
}
