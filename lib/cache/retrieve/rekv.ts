import { prefill } from '../../transformer/generate';
import { ropeOf, rotateInto } from '../../transformer/reference';
import type { AttentionCache, AttentionPart, ProjectedRows } from '../../transformer/types';
import type { HeadRows } from '../rows/head-rows';
import { createRowCache } from '../rows/row-cache';
import { openRowSession } from '../rows/row-session';
import type { LayerBytes, SessionFactory } from '../types';
import { blockScores, meanBlockKeys, meanQuery } from './block-keys';
import { checkCount, rowsOfBlocks, topIndices } from './choose';

export interface RekvOptions {
  /** Blocks a question retrieves per layer. Code's default 64. */
  readonly blocks: number;
  /** Tokens of a block: a frame of the stream. */
  readonly blockTokens?: number;
  /** Window that the stream is read with. The code's evaluation takes 15,000. */
  readonly localTokens?: number;
  /** First tokens that every query sees. */
  readonly initTokens?: number;
  /**
   * Places of what lies outside the window: all at the window's distance from the query (InfLLM's
   * rule, the code's), or where they are.
   */
  readonly positions?: 'clamped' | 'own';
}

/**
 * ReKV (Di et al., 2025): a stream is read with a sliding window and its first tokens; past blocks
 * lie in host memory under their mean keys, heads side by side. A question's mean query picks blocks
 * in each layer, and question and answer attend to the first tokens, these blocks and themselves.
 */
export function rekvSession(options: RekvOptions): SessionFactory {
  const { blocks, blockTokens = 16, localTokens = 128, initTokens = 4 } = options;
  const { positions: rule = 'clamped' } = options;
  checkCount('blocks', blocks);
  checkCount('blockTokens', blockTokens);
  checkCount('localTokens', localTokens);
  return {
    label: `ReKV, ${blocks} blocks of ${blockTokens}`,
    open(model) {
      const { layers, kvHeads, headSize } = model.config;
      const rope = ropeOf(model.config);
      const rows = createRowCache(model.config);
      let contextTokens = 0;
      let reading = true;
      let summaries: readonly Float32Array[] = [];
      let chosen: Int32Array[] = [];
      let movedRows = 0;

      /** Rows outside the window as a query at a position meets them. */
      function far(held: HeadRows, from: readonly number[], position: number): AttentionPart {
        const keys = new Float32Array(from.length * headSize);
        const values = new Float32Array(from.length * headSize);
        from.forEach((row, i) => {
          const at = row * headSize;
          if (rule === 'own') keys.set(held.rotated.subarray(at, at + headSize), i * headSize);
          else rotateInto(held.keys, at, position - localTokens, rope, keys, i * headSize);
          values.set(held.values.subarray(at, at + headSize), i * headSize);
        });
        const places = Int32Array.from(from, (row) => held.positions[row]!);
        return { count: from.length, keys, values, positions: places };
      }

      function near(held: HeadRows, from: number): AttentionPart {
        return {
          count: held.count - from,
          keys: held.rotated.subarray(from * headSize),
          values: held.values.subarray(from * headSize),
          positions: held.positions.subarray(from),
        };
      }

      function choose(layer: number, projected: ProjectedRows): void {
        const scores = blockScores(summaries[layer]!, meanQuery(model.config, projected));
        const picked = rowsOfBlocks(topIndices(scores, blocks), blockTokens, contextTokens);
        const held = new Set(chosen[layer] ?? []);
        const outside = picked.filter((row) => row >= initTokens);
        movedRows += outside.filter((row) => !held.has(row)).length * kvHeads;
        chosen[layer] = outside;
      }

      const cache: AttentionCache = {
        append: rows.append,
        queryIndex: rows.queryIndex,
        perQuery: true,
        parts(layer, kvHead, query) {
          const held = rows.head(layer, kvHead);
          const position = query?.position ?? held.count - 1;
          const inits = Math.min(initTokens, contextTokens);
          if (reading) {
            const start = Math.max(0, position - localTokens + 1);
            const before = Array.from({ length: Math.min(inits, start) }, (_, i) => i);
            return [far(held, before, position), near(held, start)];
          }
          const before = Array.from({ length: inits }, (_, i) => i);
          const all = [...before, ...(chosen[layer] ?? [])];
          return [far(held, all, position), near(held, contextTokens)];
        },
      };

      return openRowSession(model, {
        rows,
        cache,
        encode(context) {
          contextTokens = context.length;
          const positions = context.map((_, i) => i);
          model.forward({ tokens: context, positions, cache: cache, logits: 'none' });
          summaries = Array.from({ length: layers }, (_, layer) =>
            meanBlockKeys(
              Array.from({ length: kvHeads }, (_, kvHead) => rows.head(layer, kvHead).keys),
              contextTokens,
              headSize,
              blockTokens,
            ),
          );
          reading = false;
        },
        run(tokens, start, kind) {
          const hooks = kind === 'question' ? { onProjected: choose } : {};
          return prefill(model, cache, tokens, start, { hooks });
        },
        rewind() {
          chosen = [];
        },
        movedBytes: () => movedRows * rows.head(0, 0).rowBytes,
        layerBytes: () =>
          Array.from({ length: layers }, (_, layer) => {
            const rowBytes = rows.head(layer, 0).rowBytes * kvHeads;
            const tail = rows.head(layer, 0).count - contextTokens;
            const inits = Math.min(initTokens, contextTokens);
            const onDevice = tail + inits + (chosen[layer]?.length ?? 0);
            return [
              layerOf(layer, 'device', onDevice * rowBytes, summaries[layer]?.byteLength ?? 0),
              layerOf(layer, 'host', (contextTokens - inits) * rowBytes, 0),
            ];
          }).flat(),
      });
    },
  };
}

function layerOf(
  layer: number,
  tier: 'device' | 'host',
  payload: number,
  summaries: number,
): LayerBytes {
  return {
    layer,
    tier,
    bytes: { payload, scales: 0, indices: 0, factors: 0, summaries, positions: 0 },
  };
}
