import { createRandom } from '../../random/random';
import { type AttentionParams, attentionParams } from '../../spec/kinds/attention';
import type { DecodeParams, PagedLayout } from '../../spec/kinds/decode';
import { inputSteps } from '../inputs';
import { makeProgram } from '../program';
import { runSteps } from '../steps';
import type { AttentionInputs } from '../types';

/** One key channel in this many is an outlier. */
const CHANNELS_PER_OUTLIER = 32;
/** Ragged sequences have at least this share of the longest. */
const SHORTEST_SHARE = 8;

/** A decode step as a call of attention. */
export function attentionParamsOf(params: DecodeParams): AttentionParams {
  const { shape, structure, variant, seed, timedRuns } = params;
  return attentionParams.parse({ shape, structure, variant, seed, timedRuns });
}

/**
 * Tokens of every sequence, [batch]. Ragged: the first has all, the others between an eighth of them
 * and all, uniformly; never fewer than the queries or the shared prefix.
 */
export function sequenceLengths({ shape, seed }: DecodeParams, layout: PagedLayout): Uint32Array {
  const { batch, keys, queries } = shape;
  const random = createRandom(seed).fork('lengths');
  const shortest = Math.max(queries, layout.sharedPrefixTokens, Math.ceil(keys / SHORTEST_SHARE));
  return Uint32Array.from({ length: batch }, (_, b) =>
    b === 0 || layout.lengths === 'equal' ? keys : random.integer(Math.min(shortest, keys), keys),
  );
}

/**
 * Adds `strength`, with a sign per channel, to one channel in 32 of every head's keys (at least one):
 * the same channels for all tokens and batch entries of a head.
 */
function addKeyOutliers({ shape, seed, keyOutliers }: DecodeParams, key: Float32Array): void {
  if (keyOutliers === 0) return;
  const { batch, kvHeads, keys, headSize } = shape;
  const count = Math.max(1, Math.floor(headSize / CHANNELS_PER_OUTLIER));
  const random = createRandom(seed).fork('key outliers');
  for (let h = 0; h < kvHeads; h++) {
    const offsets = new Map<number, number>();
    while (offsets.size < count) {
      offsets.set(
        random.integer(0, headSize - 1),
        random.uniform() < 0.5 ? -keyOutliers : keyOutliers,
      );
    }
    for (let b = 0; b < batch; b++) {
      for (let t = 0; t < keys; t++) {
        const row = ((b * kvHeads + h) * keys + t) * headSize;
        for (const [channel, offset] of offsets) key[row + channel]! += offset;
      }
    }
  }
}

/** Makes every key of a head `carry` x the one before it + sqrt(1 - carry^2) x its own. */
function carryKeys({ shape, keyCarry: carry }: DecodeParams, key: Float32Array): void {
  if (carry === 0) return;
  const { batch, kvHeads, keys, headSize } = shape;
  const own = Math.sqrt(1 - carry * carry);
  for (let head = 0; head < batch * kvHeads; head++) {
    const start = head * keys * headSize;
    for (let i = start + headSize; i < start + keys * headSize; i++) {
      key[i] = carry * key[i - headSize]! + own * key[i]!;
    }
  }
}

/** Gives every batch entry the first one's tokens `0 .. tokens - 1`. */
function sharePrefix({ shape }: DecodeParams, tensor: Float32Array, tokens: number): void {
  const { batch, kvHeads, keys, headSize } = shape;
  for (let b = 1; b < batch; b++) {
    for (let h = 0; h < kvHeads; h++) {
      const from = h * keys * headSize;
      const to = (b * kvHeads + h) * keys * headSize;
      tensor.copyWithin(to, from, from + tokens * headSize);
    }
  }
}

/**
 * Seeded Q, K and V of the step, unquantised and contiguous; carry, outliers and shared prefix
 * included. Yields the share done every few milliseconds.
 */
export function* decodeInputSteps(params: DecodeParams): Generator<number, AttentionInputs> {
  const inputs = yield* inputSteps(attentionParamsOf(params));
  carryKeys(params, inputs.key);
  addKeyOutliers(params, inputs.key);
  if (params.layout.type === 'paged') {
    sharePrefix(params, inputs.key, params.layout.sharedPrefixTokens);
    sharePrefix(params, inputs.value, params.layout.sharedPrefixTokens);
  }
  return inputs;
}

/** `decodeInputSteps` run to the end. */
export function decodeInputs(params: DecodeParams): AttentionInputs {
  return runSteps(decodeInputSteps(params));
}

/** One sequence of a ragged batch as a call of its own: batch 1, `length` keys, the queries its last. */
export function cutSequence(
  params: DecodeParams,
  inputs: AttentionInputs,
  sequence: number,
  length: number,
): AttentionInputs {
  const { kvHeads, keys, queryHeads, queries, headSize } = inputs.shape;
  const shape = { ...inputs.shape, batch: 1, keys: length };
  const cut = (tensor: Float32Array) => {
    const out = new Float32Array(kvHeads * length * headSize);
    for (let h = 0; h < kvHeads; h++) {
      const from = (sequence * kvHeads + h) * keys * headSize;
      out.set(tensor.subarray(from, from + length * headSize), h * length * headSize);
    }
    return out;
  };
  const rows = queryHeads * queries * headSize;
  return {
    shape,
    query: inputs.query.subarray(sequence * rows, (sequence + 1) * rows),
    key: cut(inputs.key),
    value: cut(inputs.value),
    program: makeProgram({ ...attentionParamsOf(params), shape }),
  };
}
