import type { ComposeParams } from '../../spec/kinds/compose';
import { type AttentionProgram, queryPosition } from '../program';
import { headMass, type PartOutputs, type ResolvedGates } from './compose-heads';
import {
  gqaBytesPerToken,
  mhaBytesPerToken,
  mlaBytesPerToken,
  mqaBytesPerToken,
} from './kv-bytes-per-token';
import type { CacheBytes, ComposeHead, MassByQuery } from './result';

const BYTES_PER_ELEMENT = 2;
const MASS_BINS = 128;

/** One layer's cache under each way of sharing heads, at the cell's sizes; 2 bytes per element. */
export function cacheBytesOf({ shape, rule }: ComposeParams): readonly CacheBytes[] {
  const { queryHeads, kvHeads, headSize } = shape;
  const sizes = { layers: 1, headSize, bytesPerElement: BYTES_PER_ELEMENT };
  return [
    {
      name: `MHA, ${queryHeads} KV heads`,
      bytesPerToken: mhaBytesPerToken({ ...sizes, queryHeads }),
    },
    { name: `GQA, ${kvHeads} KV heads`, bytesPerToken: gqaBytesPerToken({ ...sizes, kvHeads }) },
    { name: 'MQA, 1 KV head', bytesPerToken: mqaBytesPerToken(sizes) },
    ...(rule.type === 'latent'
      ? [
          {
            name: `MLA, rank ${rule.rank} + ${rule.ropeSize}`,
            bytesPerToken: mlaBytesPerToken({ ...sizes, ...rule }),
          },
        ]
      : []),
  ];
}

/**
 * What every head keeps: the keys that the last query sees, by the part that its gate leaves, or by
 * any part.
 *
 * @param parts masks of every part's pieces
 */
export function describeHeads(
  params: ComposeParams,
  parts: readonly (readonly AttentionProgram[])[],
  gates: ResolvedGates | undefined,
): readonly ComposeHead[] {
  const { queryHeads, kvHeads, queries, keys } = params.shape;
  return Array.from({ length: queryHeads }, (_, head) => {
    const kvHead = Math.floor((head * kvHeads) / queryHeads);
    const gate = gates?.gates[kvHead];
    const kept = gate === 1 ? parts.slice(0, 1) : gate === 0 ? parts.slice(1) : parts;
    let seen = 0;
    for (let k = 0; k < keys; k++) {
      if (kept.some((each) => each.some(({ isVisible }) => isVisible(0, head, queries - 1, k))))
        seen++;
    }
    return {
      head,
      gate,
      headClass: gates?.classes?.[kvHead],
      massOutside: gates?.massOutside[kvHead],
      keptKeysShare: seen / keys,
    };
  });
}

/** Mean mass by query over all heads, and each name's mean over all rows. */
export function describeMass(
  params: ComposeParams,
  outputs: PartOutputs,
  names: readonly string[],
): { readonly mass: MassByQuery; readonly means: readonly number[] } | undefined {
  const { batch, queryHeads, queries } = params.shape;
  const heads = batch * queryHeads;
  const bins = Math.min(queries, MASS_BINS);
  const sums = names.map(() => new Float64Array(queries));
  for (let i = 0; i < heads; i++) {
    const shares = headMass(params, outputs, i);
    if (shares === undefined) return undefined;
    shares.forEach((share, name) => {
      for (let row = 0; row < queries; row++) sums[name]![row]! += share[row]! / heads;
    });
  }
  const starts = Array.from({ length: bins + 1 }, (_, bin) => Math.floor((bin * queries) / bins));
  const shares = new Float64Array(names.length * bins);
  sums.forEach((sum, name) => {
    for (let bin = 0; bin < bins; bin++) {
      const part = sum.subarray(starts[bin], starts[bin + 1]);
      shares[name * bins + bin] = part.reduce((a, b) => a + b, 0) / part.length;
    }
  });
  const positions = Float64Array.from({ length: bins }, (_, bin) =>
    queryPosition(params.shape, starts[bin]!),
  );
  return {
    mass: { names, positions, shares },
    means: sums.map((sum) => sum.reduce((a, b) => a + b, 0) / queries),
  };
}
