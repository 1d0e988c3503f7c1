import { runSteps } from './steps';
import type { AttentionInputs } from './types';

/**
 * One output row in f64, the plain definition: softmax(modify(q K^T / sqrt(headSize))) V over the
 * visible keys, with the row maximum subtracted. Query head h reads KV head floor(h / (queryHeads / kvHeads)).
 *
 * @param out receives headSize values; zeros for a fully masked row
 * @returns the row's log-sum-exp; -Infinity for a fully masked row
 */
export function referenceRow(
  inputs: AttentionInputs,
  batch: number,
  head: number,
  query: number,
  out: Float64Array,
): number {
  const { shape, program } = inputs;
  const { queryHeads, kvHeads, queries, keys, headSize } = shape;
  const scale = 1 / Math.sqrt(headSize);
  const kvHead = Math.floor(head / (queryHeads / kvHeads));
  const qOffset = ((batch * queryHeads + head) * queries + query) * headSize;
  const kvOffset = (batch * kvHeads + kvHead) * keys * headSize;
  const q = inputs.query.subarray(qOffset, qOffset + headSize);
  const { isVisible, modify } = program;

  const scores = new Float64Array(keys).fill(-Infinity);
  let maximum = -Infinity;
  for (let k = 0; k < keys; k++) {
    if (!isVisible(batch, head, query, k)) continue;
    const offset = kvOffset + k * headSize;
    let dot = 0;
    for (let d = 0; d < headSize; d++) {
      dot += (q[d] as number) * (inputs.key[offset + d] as number);
    }
    const score = modify === undefined ? dot * scale : modify(batch, head, query, k, dot * scale);
    scores[k] = score;
    if (score > maximum) maximum = score;
  }
  out.fill(0);
  if (maximum === -Infinity) return -Infinity;

  let sum = 0;
  for (let k = 0; k < keys; k++) {
    const score = scores[k] as number;
    if (score === -Infinity) continue;
    const weight = Math.exp(score - maximum);
    sum += weight;
    const offset = kvOffset + k * headSize;
    for (let d = 0; d < headSize; d++) {
      out[d] = (out[d] as number) + weight * (inputs.value[offset + d] as number);
    }
  }
  for (let d = 0; d < headSize; d++) out[d] = (out[d] as number) / sum;
  return maximum + Math.log(sum);
}

/**
 * All rows by the f64 reference, in slices: the generator yields the share done after every few
 * milliseconds of work, so that a worker can report progress and stop.
 *
 * @returns output [batch, queryHeads, queries, headSize] and lse [batch, queryHeads, queries]
 */
export function* referenceSteps(
  inputs: AttentionInputs,
): Generator<number, { output: Float64Array; lse: Float64Array }> {
  const { batch, queryHeads, queries, keys, headSize } = inputs.shape;
  const rows = batch * queryHeads * queries;
  const output = new Float64Array(rows * headSize);
  const lse = new Float64Array(rows);
  const rowsPerStep = Math.max(1, Math.floor(4e6 / (keys * headSize)));
  let row = 0;
  for (let b = 0; b < batch; b++) {
    for (let h = 0; h < queryHeads; h++) {
      for (let q = 0; q < queries; q++) {
        const out = output.subarray(row * headSize, (row + 1) * headSize);
        lse[row] = referenceRow(inputs, b, h, q, out);
        row++;
        if (row % rowsPerStep === 0) yield row / rows;
      }
    }
  }
  return { output, lse };
}

/** `referenceSteps` run to the end: for tests and the command line. */
export function attentionReference(inputs: AttentionInputs): {
  output: Float64Array;
  lse: Float64Array;
} {
  return runSteps(referenceSteps(inputs));
}
