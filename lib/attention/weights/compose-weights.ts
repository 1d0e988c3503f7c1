import type { ComposeParams } from '../../spec/kinds/compose';
import { combineParts, partOf } from '../compose/combine';
import { encodeSteps, rawTensorSteps } from '../compose/encode-heads';
import { expandedSteps, makeLatent } from '../compose/latent-tensors';
import { partProgram } from '../compose/part-program';
import { piecesOf } from '../compose/pieces';
import type { PartialAttention } from '../compose/types';
import { makeProgram } from '../program';
import type { AttentionInputs } from '../types';
import { type SoftmaxRows, softmaxRows } from './softmax-row';
import type { WeightMatrices } from './types';

/** A composition's calls as the kernels take them: pieces of every part. */
type PartCalls = readonly (readonly AttentionInputs[])[];

/** Latent attention written out per head: the absorbed form has the same probabilities. */
function* latentCall(
  params: ComposeParams,
  rule: Extract<ComposeParams['rule'], { type: 'latent' }>,
): Generator<number, PartCalls> {
  const tensors = yield* expandedSteps(params, rule, makeLatent(params, rule));
  const { variant } = params.parts[0]!;
  const program = makeProgram({ shape: tensors.shape, seed: params.seed, variant });
  return [[{ ...tensors, program }]];
}

function* partCalls(params: ComposeParams): Generator<number, PartCalls> {
  const { rule, shape } = params;
  if (rule.type === 'latent') return yield* latentCall(params, rule);
  const raw = yield* rawTensorSteps(params);
  const pieces = piecesOf(params);
  const calls: AttentionInputs[][] = [];
  for (const part of params.parts) {
    const ofPart: AttentionInputs[] = [];
    for (const piece of pieces) {
      const query = yield* encodeSteps(params, part, piece, raw, 'query');
      const key = yield* encodeSteps(params, part, piece, raw, 'key');
      const program = partProgram(params, part, piece);
      ofPart.push({ shape, query, key, value: raw.value, program });
    }
    calls.push(ofPart);
  }
  return calls;
}

/**
 * What every call's output is multiplied by in one row of the composition. Compositions are linear
 * in the outputs, so that they tell themselves: call i is given the i-th unit vector as its output.
 */
function callFactors(
  params: ComposeParams,
  lse: readonly (readonly number[])[],
  gate: number | undefined,
): Float64Array {
  const count = lse.reduce((sum, pieces) => sum + pieces.length, 0);
  let at = 0;
  const parts = lse.map((pieces, part) => {
    const partials = pieces.map((each): PartialAttention => {
      const output = new Float64Array(count);
      // A row without keys has an output of 0.
      if (each > -Infinity) output[at] = 1;
      at++;
      return { rows: 1, valueSize: count, output, lse: Float64Array.of(each) };
    });
    return partOf(partials, params.parts[part]!.lseScale);
  });
  return combineParts(params, parts, gate);
}

/** out += factor x probability for every key that the call sees. */
function addWeights(
  probabilities: Float64Array,
  first: number,
  end: number,
  factor: number,
  out: Float64Array,
): void {
  for (let k = first; k < end; k++) {
    const probability = probabilities[k]!;
    if (Number.isNaN(probability)) continue;
    const weight = factor * probability;
    const before = out[k]!;
    out[k] = Number.isNaN(before) ? weight : before + weight;
  }
}

/**
 * Attention of a composition with its parts joined: the probability of every key under the merged
 * log-sum-exp, gate x first + (1 - gate) x second, or first - lambda x second. A virtual key takes
 * its share of the row. Yields the share of heads whose tensors are encoded.
 *
 * @param gates [kvHeads], as the run resolved them; for rule gate
 */
export function* composeWeightSteps(
  params: ComposeParams,
  gates: ArrayLike<number> | undefined,
): Generator<number, WeightMatrices> {
  const { queryHeads, kvHeads, queries, keys } = params.shape;
  const calls: readonly (readonly SoftmaxRows[])[] = (yield* partCalls(params)).map((pieces) =>
    pieces.map((each) => softmaxRows(each)),
  );
  const read = calls.map((pieces) => pieces.map(() => new Float64Array(keys)));
  const flat = read.flat();
  const rows = calls.flat();
  const partOfCall = calls.flatMap((pieces, part) => pieces.map(() => part));
  const extent = { first: 0, end: keys };
  return (batch, head) => ({
    queries,
    keys,
    extent,
    isSigned: params.rule.type === 'difference',
    prepareRows(start, end, products) {
      for (const call of rows) call.prepare(batch, head, start, end, products);
    },
    fillRow(query, keyStart, keyEnd, out) {
      const lse = calls.map((pieces, p) =>
        pieces.map((call, i) => call.read(batch, head, query, keyStart, keyEnd, read[p]![i]!)),
      );
      const kvHead = Math.floor((head * kvHeads) / queryHeads);
      const gate = params.rule.type === 'gate' ? gates?.[kvHead] : undefined;
      const factors = callFactors(params, lse, gate);
      out.fill(Number.NaN, keyStart, keyEnd);
      extent.first = keyEnd;
      extent.end = keyStart;
      lse.flat().forEach((each, c) => {
        // A gate of 1 or 0 leaves a part out: what only that part sees, the head does not.
        if (gate !== undefined && gate === partOfCall[c]) return;
        const first = Math.max(rows[c]!.extent.first, keyStart);
        const end = Math.min(rows[c]!.extent.end, keyEnd);
        if (end <= first) return;
        extent.first = Math.min(extent.first, first);
        extent.end = Math.max(extent.end, end);
        addWeights(flat[c]!, first, end, each === -Infinity ? 0 : factors[c]!, out);
      });
    },
  });
}
