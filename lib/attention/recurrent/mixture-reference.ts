import { runSteps } from '../steps';
import { MEMORY_RULE, type MixtureInputs, memoryWeight } from './mixture';
import { recurrentReferenceSteps } from './reference';
import type { RecurrentInputs } from './types';

/**
 * A mixture in f64, the way its paper gathers it: every memory sees only the tokens routed to it,
 * one after the other, as if there were no others.
 *
 * @returns output [batch, heads, tokens, valueSize]; the last states [batch, memories, heads,
 * valueSize, keySize], the shared memory last
 * @throws RangeError where a tensor does not fit the shape
 */
export function mixtureReference(inputs: MixtureInputs): {
  readonly output: Float64Array;
  readonly state: Float64Array;
} {
  return runSteps(mixtureReferenceSteps(inputs));
}

/** `mixtureReference` in slices: yields the share done every few milliseconds. */
export function* mixtureReferenceSteps(
  inputs: MixtureInputs,
): Generator<number, { readonly output: Float64Array; readonly state: Float64Array }> {
  const { batch, heads, tokens, keySize, valueSize } = inputs.shape;
  const count = inputs.memories.length;
  const stateSize = heads * valueSize * keySize;
  const output = new Float64Array(batch * heads * tokens * valueSize);
  const state = new Float64Array(batch * count * stateSize);
  for (let b = 0; b < batch; b++) {
    for (const [m, memory] of inputs.memories.entries()) {
      const routed = Array.from({ length: tokens }, (_, t) => t).filter(
        (t) => memoryWeight(inputs, b, t, m) > 0,
      );
      // A memory that no token was routed to is empty.
      if (routed.length === 0) continue;
      const steps = recurrentReferenceSteps(gatherTokens(memory, b, routed), MEMORY_RULE);
      let step = steps.next();
      for (; !step.done; step = steps.next()) yield (b * count + m + step.value) / (batch * count);
      const result = step.value;
      state.set(result.state, (b * count + m) * stateSize);
      for (let h = 0; h < heads; h++) {
        for (const [i, t] of routed.entries()) {
          const weight = memoryWeight(inputs, b, t, m);
          const to = ((b * heads + h) * tokens + t) * valueSize;
          const from = (h * routed.length + i) * valueSize;
          for (let c = 0; c < valueSize; c++) {
            output[to + c] = output[to + c]! + weight * result.output[from + c]!;
          }
        }
      }
    }
  }
  return { output, state };
}

/** Only the listed tokens of one batch. */
function gatherTokens(
  inputs: RecurrentInputs,
  batch: number,
  routed: readonly number[],
): RecurrentInputs {
  const { heads, tokens } = inputs.shape;
  const gather = (tensor: Float32Array) => {
    const size = tensor.length / (inputs.shape.batch * heads * tokens);
    const gathered = new Float32Array(heads * routed.length * size);
    for (let h = 0; h < heads; h++) {
      for (const [i, t] of routed.entries()) {
        const from = ((batch * heads + h) * tokens + t) * size;
        gathered.set(tensor.subarray(from, from + size), (h * routed.length + i) * size);
      }
    }
    return gathered;
  };
  return {
    ...inputs,
    shape: { ...inputs.shape, batch: 1, tokens: routed.length },
    query: gather(inputs.query),
    key: gather(inputs.key),
    value: gather(inputs.value),
    decay: gather(inputs.decay!),
    writeStrength: gather(inputs.writeStrength!),
  };
}
