import type { ProjectedRows, TransformerConfig } from '../../transformer/types';
import type { WindowQueries } from './actions';

/** Queries of the prompt as the layers projected them, kept as far back as scorers read. */
export interface QueryTrace {
  record(layer: number, rows: ProjectedRows): void;
  /** Last `rows` queries of a KV head's group, or as many as there are. */
  last(layer: number, kvHead: number, rows: number): WindowQueries;
  /** The queries at the given recorded rows, ascending; `recorded` counts them. */
  at(layer: number, kvHead: number, rows: ArrayLike<number>): WindowQueries;
  recorded(layer: number): number;
  /** Gives a function that takes the trace back to where it is now. */
  mark(): () => void;
}

interface LayerQueries {
  /** [rows, heads, headSize] */
  data: Float32Array;
  positions: Int32Array;
}

/** @param keptRows rows kept per layer; Infinity for all */
export function createQueryTrace(config: TransformerConfig, keptRows: number): QueryTrace {
  const { heads, kvHeads, headSize, layers } = config;
  const group = heads / kvHeads;
  const width = heads * headSize;
  const none = (): LayerQueries => ({ data: new Float32Array(0), positions: new Int32Array(0) });
  const byLayer = Array.from({ length: layers }, none);

  function take(layer: number, kvHead: number, rows: ArrayLike<number>): WindowQueries {
    const { data, positions } = byLayer[layer]!;
    const size = group * headSize;
    const out = new Float32Array(rows.length * size);
    for (let i = 0; i < rows.length; i++) {
      const from = rows[i]! * width + kvHead * size;
      out.set(data.subarray(from, from + size), i * size);
    }
    const picked = Int32Array.from({ length: rows.length }, (_, i) => positions[rows[i]!]!);
    return { rows: rows.length, group, data: out, positions: picked };
  }

  return {
    record(layer, { rows, queries, positions }) {
      if (keptRows === 0) return;
      const old = byLayer[layer]!;
      const added = Math.min(rows, keptRows);
      const kept = Math.min(old.positions.length, keptRows - added);
      const data = new Float32Array((kept + added) * width);
      data.set(old.data.subarray((old.positions.length - kept) * width));
      data.set(queries.subarray((rows - added) * width, rows * width), kept * width);
      const at = new Int32Array(kept + added);
      at.set(old.positions.subarray(old.positions.length - kept));
      at.set(positions.subarray(rows - added, rows), kept);
      byLayer[layer] = { data, positions: at };
    },
    last(layer, kvHead, rows) {
      const count = byLayer[layer]!.positions.length;
      const used = Math.min(rows, count);
      return take(
        layer,
        kvHead,
        Int32Array.from({ length: used }, (_, i) => count - used + i),
      );
    },
    at: take,
    recorded: (layer) => byLayer[layer]!.positions.length,
    mark() {
      const saved = byLayer.slice();
      return () => {
        byLayer.splice(0, layers, ...saved);
      };
    },
  };
}
