import { exponential, multiply } from './matrix';
import type { RecurrentShape } from './types';

/**
 * The Legendre memory's continuous system m' = A m + B u, which keeps the coefficients of the last
 * `thetaTokens` of u in shifted Legendre polynomials (Voelker et al. 2019, LMU):
 * A_ij = (2i + 1) / theta x (-1 where i < j, else (-1)^(i - j + 1)), B_i = (2i + 1) (-1)^i / theta.
 */
export function legendreSystem(
  order: number,
  thetaTokens: number,
): { readonly a: Float64Array; readonly b: Float64Array } {
  const a = Float64Array.from({ length: order * order }, (_, at) => {
    const i = Math.floor(at / order);
    const j = at % order;
    const sign = i < j || (i - j) % 2 === 0 ? -1 : 1;
    return (sign * (2 * i + 1)) / thetaTokens;
  });
  const b = Float64Array.from(
    { length: order },
    (_, i) => ((2 * i + 1) * (i % 2 === 0 ? 1 : -1)) / thetaTokens,
  );
  return { a, b };
}

/** One token's step m <- a m + b u; a is [order, order]. */
export interface LegendreStep {
  readonly order: number;
  readonly a: Float64Array;
  readonly b: Float64Array;
}

/**
 * The system over one token by zero-order hold, u constant within a token: the exponential of
 * [[A, B], [0, 0]] has exp(A) and the integral of exp(A s) B in its upper rows.
 *
 * @throws RangeError where order or thetaTokens is not a positive integer
 */
export function legendreStep(order: number, thetaTokens: number): LegendreStep {
  for (const [name, value] of Object.entries({ order, thetaTokens })) {
    if (!Number.isInteger(value) || value < 1) {
      throw new RangeError(`invalid ${name}: ${value} (expected a positive integer)`);
    }
  }
  const { a, b } = legendreSystem(order, thetaTokens);
  const size = order + 1;
  const joined = new Float64Array(size * size);
  for (let i = 0; i < order; i++) {
    joined.set(a.subarray(i * order, (i + 1) * order), i * size);
    joined[i * size + order] = b[i]!;
  }
  const held = exponential(joined, size);
  const rows = Array.from({ length: order }, (_, i) => held.subarray(i * size, (i + 1) * size));
  return {
    order,
    a: Float64Array.from(rows.flatMap((row) => [...row.subarray(0, order)])),
    b: Float64Array.from(rows, (row) => row[order]!),
  };
}

/** What a chunk needs of the step: a^1 .. a^chunkTokens and a^n b for n < chunkTokens. */
export interface LegendrePowers {
  readonly chunkTokens: number;
  /** [chunkTokens, order, order]. */
  readonly powers: Float64Array<ArrayBuffer>;
  /** Impulse response [chunkTokens, order]. */
  readonly response: Float64Array<ArrayBuffer>;
}

export function legendrePowers({ order, a, b }: LegendreStep, chunkTokens: number): LegendrePowers {
  const powers = new Float64Array(chunkTokens * order * order);
  const response = new Float64Array(chunkTokens * order);
  let power: Float64Array = a;
  let impulse: Float64Array = b;
  for (let n = 0; n < chunkTokens; n++) {
    powers.set(power, n * order * order);
    response.set(impulse, n * order);
    power = multiply(power, a, order, order, order);
    impulse = multiply(a, impulse, order, order, 1);
  }
  return { chunkTokens, powers, response };
}

/**
 * A Legendre memory for every value channel, S [valueSize, order]: every token changes it to
 * S a^T + v b^T, and reads S q. `shape.keySize` is the order.
 */
export interface LegendreInputs {
  readonly shape: RecurrentShape;
  readonly thetaTokens: number;
  readonly step: LegendreStep;
  /** [batch, heads, tokens, order]. */
  readonly query: Float32Array;
  /** [batch, heads, tokens, valueSize]. */
  readonly value: Float32Array;
}

/** Shifted Legendre polynomials P_i(2 r - 1), i < order, at r in [0, 1] by their recurrence. */
export function shiftedLegendre(order: number, r: number): Float64Array<ArrayBuffer> {
  const x = 2 * r - 1;
  const values = new Float64Array(order);
  for (let i = 0; i < order; i++) {
    values[i] =
      i === 0 ? 1 : i === 1 ? x : ((2 * i - 1) * x * values[i - 1]! - (i - 1) * values[i - 2]!) / i;
  }
  return values;
}
