import type { AttentionParams, AttentionShape } from '../spec/kinds/attention';
import { countVisiblePairs } from './block-list';
import { makeProgram } from './program';
import type { AttentionInputs } from './types';

/** First NaN or infinity of the inputs as a sentence that names the place, or undefined. */
export function findNonFinite(inputs: AttentionInputs): string | undefined {
  const { queryHeads, kvHeads, queries, keys } = inputs.shape;
  const tensors = [
    ['query', inputs.query, queryHeads, queries],
    ['key', inputs.key, kvHeads, keys],
    ['value', inputs.value, kvHeads, keys],
  ] as const;
  for (const [name, values, heads, positions] of tensors) {
    const index = values.findIndex((value) => !Number.isFinite(value));
    if (index < 0) continue;
    const { headSize } = inputs.shape;
    const dim = index % headSize;
    const position = Math.floor(index / headSize) % positions;
    const head = Math.floor(index / (headSize * positions)) % heads;
    const batch = Math.floor(index / (headSize * positions * heads));
    return `non-finite value ${values[index]} in ${name} at batch ${batch}, head ${head}, position ${position}, dim ${dim}`;
  }
  return undefined;
}

/** Bytes of the f32 tensors of one call, by name. */
export function tensorBytes(
  shape: AttentionShape,
): Readonly<Record<'query' | 'key' | 'value' | 'output' | 'lse', number>> {
  const query = 4 * shape.batch * shape.queryHeads * shape.queries * shape.headSize;
  const key = 4 * shape.batch * shape.kvHeads * shape.keys * shape.headSize;
  return { query, key, value: key, output: query, lse: query / shape.headSize };
}

const MIB = 2 ** 20;

/** Tensors above the largest buffer, as sentences; empty when the shape fits. */
export function checkShapeLimits(shape: AttentionShape, maxBufferBytes: number): readonly string[] {
  return Object.entries(tensorBytes(shape))
    .filter(([, bytes]) => bytes > maxBufferBytes)
    .map(
      ([name, bytes]) =>
        `${name} needs ${(bytes / MIB).toFixed(0)} MiB, above the limit of ${(maxBufferBytes / MIB).toFixed(0)} MiB per buffer`,
    );
}

/** Looks at single elements that an estimate may cost: under a millisecond. */
const ESTIMATE_LOOKS = 2 ** 15;

/**
 * About how much useful arithmetic one call is: 4 x headSize per visible pair and query head (two
 * products, multiply and add). Exact where rectangles tell.
 */
export function usefulFlops(params: AttentionParams): number {
  const { pairs } = countVisiblePairs(makeProgram(params), params.shape, ESTIMATE_LOOKS);
  return 4 * params.shape.headSize * pairs;
}
