import { runSteps, STEP_PRODUCTS } from '../steps';
import { type LegendreInputs, legendrePowers } from './legendre';
import { multiply } from './matrix';

/** @throws RangeError where a tensor does not fit the shape */
function checkInputs({ shape, step, query, value }: LegendreInputs): void {
  const { batch, heads, tokens, keySize, valueSize } = shape;
  const rows = batch * heads * tokens;
  if (step.order !== keySize) {
    throw new RangeError(`invalid order: ${step.order} (expected keySize ${keySize})`);
  }
  const expected = { query: rows * keySize, value: rows * valueSize };
  for (const [name, { length }] of Object.entries({ query, value })) {
    const count = expected[name as keyof typeof expected];
    if (length !== count) {
      throw new RangeError(`invalid ${name}: ${length} elements (expected ${count})`);
    }
  }
}

/**
 * The memory in f64, token by token.
 *
 * @returns output [batch, heads, tokens, valueSize] and the last state [batch, heads, valueSize, order]
 * @throws RangeError where a tensor does not fit the shape
 */
export function legendreReference(inputs: LegendreInputs): {
  readonly output: Float64Array;
  readonly state: Float64Array;
} {
  return runSteps(legendreReferenceSteps(inputs));
}

/** `legendreReference` in slices: yields the share done every few milliseconds. */
export function* legendreReferenceSteps(
  inputs: LegendreInputs,
): Generator<number, { readonly output: Float64Array; readonly state: Float64Array }> {
  checkInputs(inputs);
  const { batch, heads, tokens, keySize: order, valueSize } = inputs.shape;
  const { a, b } = inputs.step;
  const output = new Float64Array(batch * heads * tokens * valueSize);
  const last = new Float64Array(batch * heads * valueSize * order);
  const memory = new Float64Array(order);
  const tokensPerStep = Math.max(1, Math.floor(STEP_PRODUCTS / (order * order)));
  for (let row = 0; row < batch * heads; row++) {
    for (let r = 0; r < valueSize; r++) {
      memory.fill(0);
      for (let t = row * tokens; t < (row + 1) * tokens; t++) {
        if (t % tokensPerStep === tokensPerStep - 1) {
          yield (row + r / valueSize) / (batch * heads);
        }
        const moved = multiply(a, memory, order, order, 1);
        const u = inputs.value[t * valueSize + r]!;
        let read = 0;
        for (let i = 0; i < order; i++) {
          memory[i] = moved[i]! + b[i]! * u;
          read += memory[i]! * inputs.query[t * order + i]!;
        }
        output[t * valueSize + r] = read;
      }
      last.set(memory, (row * valueSize + r) * order);
    }
  }
  return { output, state: last };
}

/**
 * The same in chunks of tokens, f64: with the state S before a chunk and h_n = a^n b,
 *
 *     o_i = S (a^(i+1))^T q_i + sum_{j <= i} (q_i . h_(i-j)) v_j,
 *     S' = S (a^count)^T + sum_j v_j h_(count-1-j)^T.
 *
 * @param chunkTokens tokens per chunk; the result does not depend on it
 */
export function legendreChunked(
  inputs: LegendreInputs,
  chunkTokens: number,
): { readonly output: Float64Array; readonly state: Float64Array } {
  checkInputs(inputs);
  const { batch, heads, tokens, keySize: order, valueSize } = inputs.shape;
  const { powers, response } = legendrePowers(inputs.step, chunkTokens);
  const power = (n: number) => powers.subarray((n - 1) * order * order, n * order * order);
  const output = new Float64Array(batch * heads * tokens * valueSize);
  const last = new Float64Array(batch * heads * valueSize * order);
  for (let row = 0; row < batch * heads; row++) {
    let state = new Float64Array(valueSize * order);
    for (let start = 0; start < tokens; start += chunkTokens) {
      const count = Math.min(chunkTokens, tokens - start);
      const first = row * tokens + start;
      for (let i = 0; i < count; i++) {
        const query = Float64Array.from(
          inputs.query.subarray((first + i) * order, (first + i + 1) * order),
        );
        const moved = multiply(query, power(i + 1), 1, order, order);
        const out = multiply(state, moved, valueSize, order, 1);
        for (let j = 0; j <= i; j++) {
          let score = 0;
          for (let c = 0; c < order; c++) score += query[c]! * response[(i - j) * order + c]!;
          for (let r = 0; r < valueSize; r++) {
            out[r] = out[r]! + score * inputs.value[(first + j) * valueSize + r]!;
          }
        }
        output.set(out, (first + i) * valueSize);
      }
      const next = new Float64Array(state.length);
      for (let r = 0; r < valueSize; r++) {
        const held = state.subarray(r * order, (r + 1) * order);
        next.set(multiply(power(count), held, order, order, 1), r * order);
        for (let j = 0; j < count; j++) {
          const v = inputs.value[(first + j) * valueSize + r]!;
          for (let c = 0; c < order; c++) {
            next[r * order + c] = next[r * order + c]! + v * response[(count - 1 - j) * order + c]!;
          }
        }
      }
      state = next;
    }
    last.set(state, row * valueSize * order);
  }
  return { output, state: last };
}
