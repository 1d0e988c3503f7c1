import { createRandom } from '../../random/random';
import type { RecurrentParams } from '../../spec/kinds/recurrent';
import { f32Tolerance } from '../compare';
import { kvBytes } from './state-bytes';
import type { RecurrentShape } from './types';

/** Tokens whose readout is computed: the same cost at any length. */
const MOST_TOKENS = 64;

/** Weights of a gated memory unit over all heads' channels, row-major. */
export interface MemoryUnit {
  /** heads x valueSize. */
  readonly size: number;
  /** [size, size], of the gate. */
  readonly gate: Float64Array;
  /** [size, size], of the output. */
  readonly out: Float64Array;
}

/** Seeded weights whose rows have a length of about 1. */
export function makeMemoryUnit(
  { heads, valueSize }: Pick<RecurrentShape, 'heads' | 'valueSize'>,
  seed: number,
): MemoryUnit {
  const size = heads * valueSize;
  const random = createRandom(seed).fork('memory unit');
  const normals = (name: string) => {
    const stream = random.fork(name);
    return Float64Array.from({ length: size * size }, () => stream.normal() / Math.sqrt(size));
  };
  return { size, gate: normals('gate'), out: normals('out') };
}

const silu = (x: number) => x / (1 + Math.exp(-x));

function times(matrix: Float64Array, size: number, x: ArrayLike<number>): Float64Array {
  const product = new Float64Array(size);
  for (let r = 0; r < size; r++) {
    let sum = 0;
    for (let c = 0; c < size; c++) sum += matrix[r * size + c]! * x[c]!;
    product[r] = sum;
  }
  return product;
}

/** The unit's gate at a hidden state, silu(W1 x), [size]. */
export function unitGate({ gate, size }: MemoryUnit, hidden: ArrayLike<number>): Float64Array {
  return times(gate, size, hidden).map(silu);
}

/**
 * Gated memory unit (Ren et al. 2025, SambaY): y = W2 (m o silu(W1 x)). It mixes no tokens of its
 * own: the memory m, another layer's output at the same token, did.
 *
 * @param hidden the layer's input x, [size]
 * @param memory m, [size]
 */
export function applyMemoryUnit(
  unit: MemoryUnit,
  hidden: ArrayLike<number>,
  memory: ArrayLike<number>,
): Float64Array {
  const gated = unitGate(unit, hidden).map((each, i) => each * memory[i]!);
  return times(unit.out, unit.size, gated);
}

/** Outputs of all heads at one token, [heads x valueSize], from [batch, heads, tokens, valueSize]. */
export function memoryAt(
  { heads, tokens, valueSize }: RecurrentShape,
  output: ArrayLike<number>,
  batch: number,
  token: number,
): Float64Array {
  return Float64Array.from({ length: heads * valueSize }, (_, i) => {
    const head = Math.floor(i / valueSize);
    return output[((batch * heads + head) * tokens + token) * valueSize + (i % valueSize)]!;
  });
}

/** What a unit over the layer's output costs, and how far it is from one over the reference. */
export interface MemoryUnitReading {
  readonly size: number;
  readonly checkedTokens: number;
  /** Undefined where the reference itself ran. */
  readonly error:
    | { readonly maxAbs: number; readonly tolerance: number; readonly withinTolerance: boolean }
    | undefined;
  /** Multiplies and adds of one token: two square matrices and the gate. */
  readonly flopsPerToken: number;
  /** The same of a cross-attention layer in its place, at this many keys, projections included. */
  readonly crossAttentionFlopsPerToken: number;
  /** Bytes that such a layer reads of the shared cache for every token; a unit reads none. */
  readonly crossAttentionReadBytes: number;
  /** Share of gates whose size is below a tenth. */
  readonly closedShare: number;
}

/**
 * Reads the layer's output with a seeded unit at up to 64 tokens of the first batch entry, spread
 * over the call. Hidden states are seeded: no layers run below.
 */
export function readMemoryUnit(
  { seed }: Pick<RecurrentParams, 'seed'>,
  shape: RecurrentShape,
  expected: ArrayLike<number>,
  actual: ArrayLike<number> | undefined,
  attentionKeySize: number,
): MemoryUnitReading {
  const { tokens } = shape;
  const unit = makeMemoryUnit(shape, seed);
  const { size } = unit;
  const random = createRandom(seed).fork('memory unit hidden');
  const count = Math.min(tokens, MOST_TOKENS);
  let [maxAbs, largest, closed] = [0, 0, 0];
  for (let i = 0; i < count; i++) {
    const token = Math.floor((i * tokens) / count);
    const stream = random.fork(`token ${token}`);
    const hidden = Float64Array.from({ length: size }, () => stream.normal());
    const wanted = applyMemoryUnit(unit, hidden, memoryAt(shape, expected, 0, token));
    for (const each of unitGate(unit, hidden)) if (Math.abs(each) < 0.1) closed++;
    for (const each of wanted) largest = Math.max(largest, Math.abs(each));
    if (actual === undefined) continue;
    const read = applyMemoryUnit(unit, hidden, memoryAt(shape, actual, 0, token));
    for (let c = 0; c < size; c++) {
      const difference = Math.abs(read[c]! - wanted[c]!);
      maxAbs = difference <= maxAbs ? maxAbs : Number.isNaN(difference) ? Infinity : difference;
    }
  }
  const tolerance = f32Tolerance(tokens + shape.keySize + size, largest);
  const layer = { ...shape, batch: 1, keySize: attentionKeySize };
  return {
    size,
    checkedTokens: count,
    error:
      actual === undefined
        ? undefined
        : { maxAbs, tolerance, withinTolerance: maxAbs <= tolerance },
    flopsPerToken: 4 * size * size,
    crossAttentionFlopsPerToken:
      4 * size * size + 2 * shape.heads * tokens * (attentionKeySize + shape.valueSize),
    crossAttentionReadBytes: kvBytes(layer, tokens),
    closedShare: closed / (count * size),
  };
}
