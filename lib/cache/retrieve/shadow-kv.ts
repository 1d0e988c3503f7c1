import { ropeOf, rotateInto } from '../../transformer/reference';
import type { TransformerConfig } from '../../transformer/types';
import type { SessionFactory } from '../types';
import { checkCount, checkShare, rowsOfBlocks, tokensIn, topIndices, union } from './choose';
import { landmarkScores, landmarksOf } from './landmarks';
import { type LowRank, lowRankOf, rebuild } from './low-rank';
import { retrievalSession } from './retrieval-session';
import type { ContextHead, IndexBuffer } from './types';

export interface ShadowKvOptions {
  /** Share of the context that a query attends to beside the resident chunks. */
  readonly share: number;
  /** Rank of the before-RoPE keys of all KV heads side by side; the code's 160 is of 1,024 channels. */
  readonly rank?: number;
  /** Code's default 8. */
  readonly chunkTokens?: number;
  /** Chunks kept exactly because their mean stands badly for them: the code's 24 per 1,024 tokens of budget. */
  readonly outlierChunks?: number;
  /** Last chunks kept exactly. Code's default 4. */
  readonly localChunks?: number;
}

/**
 * ShadowKV (Sun et al., 2024): before-RoPE keys as a truncated SVD on the device, values in host
 * memory; a query picks chunks by their landmarks (mean rotated keys), whose keys are rebuilt and
 * rotated and whose values are moved. Outlier and local chunks lie on the device as they are.
 */
export function shadowKvSession(options: ShadowKvOptions): SessionFactory {
  const { share, rank, chunkTokens = 8, outlierChunks, localChunks = 4 } = options;
  checkShare(share);
  checkCount('chunkTokens', chunkTokens);
  return retrievalSession({
    label: `ShadowKV, chunks of ${chunkTokens}`,
    offload: true,
    moves: 'values',
    open(model, contextTokens) {
      const columns = model.config.kvHeads * model.config.headSize;
      const budget = Math.max(1, Math.floor(tokensIn(share, contextTokens) / chunkTokens));
      const outliers = outlierChunks ?? Math.round((24 / 1024) * share * contextTokens);
      const factored = factoredKeys(
        model.config,
        rank ?? Math.max(1, Math.round((160 / 1024) * columns)),
      );
      return {
        layerBuffers: factored.buffers,
        indexHead(head) {
          const { rows, count, headSize } = head;
          const marks = landmarksOf(
            rows.rotated,
            count,
            headSize,
            chunkTokens,
            outliers,
            localChunks,
          );
          const local = Int32Array.from(
            { length: Math.min(localChunks, marks.chunks) },
            (_, i) => marks.chunks - 1 - i,
          );
          const excluded = union(marks.outliers, local);
          const resident = rowsOfBlocks(excluded, chunkTokens, count);
          const keys = factored.keysOf(head);
          for (const row of resident) {
            const at = row * headSize;
            keys.set(rows.rotated.subarray(at, at + headSize), at);
          }
          return {
            keys,
            resident,
            choose({ queries }) {
              const scores = landmarkScores(marks, queries, headSize);
              for (const chunk of excluded) scores[chunk] = -1;
              const left = Math.min(budget, marks.chunks - excluded.length);
              return union(resident, rowsOfBlocks(topIndices(scores, left), chunkTokens, count));
            },
            buffers: [
              { role: 'summaries', data: marks.means },
              { role: 'indices', data: marks.outliers },
            ],
          };
        },
      };
    },
  });
}

/** Factors the keys of a layer once; hands each head its own, rebuilt and rotated. */
function factoredKeys(config: TransformerConfig, rank: number) {
  const { kvHeads, headSize } = config;
  const columns = kvHeads * headSize;
  const rope = ropeOf(config);
  const layers = new Map<number, { readonly low: LowRank; readonly rebuilt: Float32Array }>();

  function layerOf({ layer, count, all }: ContextHead) {
    const known = layers.get(layer);
    if (known) return known;
    const joined = new Float32Array(count * columns);
    all[layer]!.forEach(({ keys }, kvHead) => {
      for (let row = 0; row < count; row++) {
        const from = keys.subarray(row * headSize, (row + 1) * headSize);
        joined.set(from, row * columns + kvHead * headSize);
      }
    });
    const low = lowRankOf(joined, count, columns, rank);
    const made = { low, rebuilt: rebuild(low) };
    layers.set(layer, made);
    return made;
  }

  return {
    keysOf(head: ContextHead): Float32Array {
      const { rebuilt } = layerOf(head);
      const own = new Float32Array(head.count * headSize);
      for (let row = 0; row < head.count; row++) {
        const at = (row * kvHeads + head.kvHead) * headSize;
        rotateInto(rebuilt, at, head.rows.indices[row]!, rope, own, row * headSize);
      }
      return own;
    },
    buffers(layer: number): IndexBuffer[] {
      const made = layers.get(layer);
      if (!made) return [];
      return [
        { role: 'factors', data: made.low.coefficients },
        { role: 'factors', data: made.low.basis },
      ];
    },
  };
}
