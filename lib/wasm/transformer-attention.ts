import { makeRotate, type Rotate, ropeOf } from '../transformer/rope';
import type {
  AttendedRows,
  AttentionCache,
  AttentionPart,
  ProjectedRows,
  TransformerConfig,
} from '../transformer/types';
import type { Arena } from './arena';
import type { TransformerKernel } from './transformer-kernel';
import { attendPlaced, keySizeOf, mergeParts, type PlacedQueries } from './transformer-parts';

export interface LayerAttention {
  /**
   * Attention of a layer's rows over what the cache holds.
   *
   * @param output byte offset of [rows][rowBytes], heads one after another
   */
  attend(
    layer: number,
    projected: ProjectedRows,
    cache: AttentionCache,
    output: number,
    rowBytes: number,
  ): void;
}

/** Attention over the parts of a cache; what it needs in the arena it gives back. */
export function createLayerAttention(
  arena: Arena,
  kernel: TransformerKernel,
  config: TransformerConfig,
): LayerAttention {
  const { heads, kvHeads, headSize } = config;
  const group = heads / kvHeads;
  const keySize = keySizeOf(headSize);
  const rotate: Rotate = makeRotate(ropeOf(config));

  function attendAll(
    placed: PlacedQueries,
    parts: readonly AttentionPart[],
    output: number,
    rowBytes: number,
    observe: ((part: number, weights: Float32Array<ArrayBuffer>) => void) | undefined,
  ): void {
    const mark = arena.end;
    const queryCount = placed.rows * group;
    const isMerged = parts.length !== 1;
    const outputs = parts.map(() => (isMerged ? arena.place(4 * queryCount * headSize) : output));
    const results = parts.map((part, index) =>
      attendPlaced(
        arena,
        kernel,
        placed,
        part,
        outputs[index]!,
        isMerged ? 4 * group * headSize : rowBytes,
        observe !== undefined,
      ),
    );
    const shares = isMerged
      ? mergeParts(arena, placed, parts, results, output, rowBytes)
      : undefined;
    const weights = observe
      ? results.map(({ weights }, index) => {
          const count = parts[index]!.count;
          const start = weights / 4;
          const values = arena.floats().slice(start, start + queryCount * count);
          const ofPart = shares?.[index];
          ofPart?.forEach((share, query) => {
            const end = (query + 1) * count;
            for (let s = query * count; s < end; s++) values[s] = values[s]! * share;
          });
          return values;
        })
      : [];
    arena.release(mark);
    // A cache may call the model again from here: nothing in the arena is needed any more.
    weights.forEach((values, index) => {
      observe?.(index, values);
    });
  }

  return {
    attend(layer, { rows, queries, positions }, cache, output, rowBytes) {
      const mark = arena.end;
      const rowPositions = arena.place(4 * rows);
      const queryRows = arena.place(4 * rows * group * keySize);
      arena.integers().set(positions, rowPositions / 4);
      for (let kvHead = 0; kvHead < kvHeads; kvHead++) {
        const headOutput = output + 4 * kvHead * group * headSize;
        const observe =
          cache.observe &&
          ((part: number, held: AttentionPart, count: number, weights: Float32Array) => {
            const seen: AttendedRows = {
              layer,
              kvHead,
              part,
              rows: count,
              count: held.count,
              weights,
              positions: held.positions,
            };
            cache.observe?.(seen);
          });
        if (cache.perQuery) attendRowByRow(kvHead, headOutput, observe);
        else {
          const parts = cache.parts(layer, kvHead);
          placeQueries(kvHead);
          const placed = { queries: queryRows, rowPositions, rows, group, headSize };
          attendAll(
            placed,
            parts,
            headOutput,
            rowBytes,
            observe && ((part, weights) => observe(part, parts[part]!, rows, weights)),
          );
        }
      }
      arena.release(mark);

      function placeQueries(kvHead: number): void {
        // Asked before the view is taken: a cache that calls the model may let the memory grow.
        const indices = Array.from(positions, (at) => cache.queryIndex(layer, kvHead, at));
        const floats = arena.floats();
        if (keySize !== headSize) {
          floats.fill(0, queryRows / 4, queryRows / 4 + rows * group * keySize);
        }
        for (let row = 0; row < rows; row++) {
          const from = (row * heads + kvHead * group) * headSize;
          for (let head = 0; head < group; head++) {
            const to = queryRows / 4 + (row * group + head) * keySize;
            rotate(queries, from + head * headSize, indices[row]!, floats, to);
          }
        }
      }

      function attendRowByRow(
        kvHead: number,
        headOutput: number,
        observe:
          | ((part: number, held: AttentionPart, count: number, weights: Float32Array) => void)
          | undefined,
      ): void {
        const rotated = new Float32Array(group * headSize);
        for (let row = 0; row < rows; row++) {
          const position = positions[row]!;
          const index = cache.queryIndex(layer, kvHead, position);
          for (let head = 0; head < group; head++) {
            const from = (row * heads + kvHead * group + head) * headSize;
            rotate(queries, from, index, rotated, head * headSize);
          }
          const parts = cache.parts(layer, kvHead, { queries: rotated, position });
          const floats = arena.floats();
          for (let head = 0; head < group; head++) {
            const to = queryRows / 4 + head * keySize;
            floats.fill(0, to, to + keySize);
            floats.set(rotated.subarray(head * headSize, (head + 1) * headSize), to);
          }
          const at = rowPositions + 4 * row;
          attendAll(
            { queries: queryRows, rowPositions: at, rows: 1, group, headSize },
            parts,
            headOutput + row * rowBytes,
            rowBytes,
            observe && ((part, weights) => observe(part, parts[part]!, 1, weights)),
          );
        }
      }
    },
  };
}
