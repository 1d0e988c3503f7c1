import { createCopyMarks } from '../../transformer/copy-marks';
import { ropeOf, rotateInto } from '../../transformer/reference';
import type { AttentionCache, ProjectedRows, TransformerConfig } from '../../transformer/types';
import type { SlotStorage } from '../slots/types';
import { createHeadRows, type HeadRows } from './head-rows';

/**
 * Rows by text position, each (layer, KV head) with a list of its own. A row that comes twice takes
 * the place of the first, so that a part of a text can be computed again over the rest of it.
 */
export interface RowCache extends AttentionCache {
  /** One past the highest text position held. */
  readonly end: number;
  head(layer: number, kvHead: number): HeadRows;
  /** Forgets everything from a text position on. */
  truncate(position: number): void;
  /** Forgets the text positions in [from, to) and leaves a gap. */
  remove(from: number, to: number): void;
  /**
   * Moves the rows at `from` and later along the text. Keys are rotated anew for the place they come
   * to, or keep the rotation they had.
   */
  move(from: number, by: number, rotate: boolean): void;
  /** Remembers what is held; the returned function brings it back. */
  snapshot(): () => void;
}

export interface RowCacheOptions {
  /** RoPE index of a text position, for queries and for keys as they come in; itself unless given. */
  readonly indexOf?: (position: number) => number;
  /** `f16` unless given: what compression ratios are against. */
  readonly storage?: SlotStorage;
}

/** @param config the model's */
export function createRowCache(
  config: TransformerConfig,
  { indexOf = (position) => position, storage = 'f16' }: RowCacheOptions = {},
): RowCache {
  const rope = ropeOf(config);
  const { headSize, kvHeads, layers } = config;
  const heads = Array.from({ length: layers * kvHeads }, () =>
    createHeadRows(
      headSize,
      (keys, at, index, to, into) => rotateInto(keys, at, index, rope, to, into),
      storage,
    ),
  );
  const headOf = (layer: number, kvHead: number) => heads[layer * kvHeads + kvHead]!;
  const marks = createCopyMarks(heads.length);
  return {
    perQuery: false,
    get end() {
      let end = 0;
      for (const { positions } of heads) end = Math.max(end, (positions.at(-1) ?? -1) + 1);
      return end;
    },
    head: headOf,
    append(layer: number, { rows, keys, values, positions }: ProjectedRows) {
      for (let kvHead = 0; kvHead < kvHeads; kvHead++) {
        const head = headOf(layer, kvHead);
        for (let row = 0; row < rows; row++) {
          const at = (row * kvHeads + kvHead) * headSize;
          const position = positions[row]!;
          head.put(
            position,
            indexOf(position),
            keys.subarray(at, at + headSize),
            values.subarray(at, at + headSize),
          );
        }
      }
    },
    queryIndex: (_layer, _kvHead, position) => indexOf(position),
    parts(layer, kvHead) {
      const { count, rotated, values, positions } = headOf(layer, kvHead);
      return [{ count, keys: rotated, values, positions }];
    },
    truncate(position) {
      for (const head of heads) head.keep((held) => held < position);
    },
    remove(from, to) {
      for (const head of heads) head.keep((held) => held < from || held >= to);
    },
    move(from, by, rotate) {
      for (const head of heads) head.move(from, by, rotate);
    },
    copied: {
      storage,
      positions: (layer, kvHead) => headOf(layer, kvHead).positions,
      indicesOf(layer, kvHead, positions) {
        const last = headOf(layer, kvHead).positions.at(-1) ?? -1;
        const indices = Array.from(positions, indexOf);
        // Rows among others take their places, and a rule may give indices that no table has.
        if ((positions[0] ?? 0) <= last || !indices.every(Number.isInteger)) return undefined;
        const list = Int32Array.from(indices);
        return { keys: list, queries: list };
      },
      mark(layer, kvHead) {
        const { version, count } = headOf(layer, kvHead);
        return marks.mark(layer * kvHeads + kvHead, version, count);
      },
      same(layer, kvHead, mark) {
        const { version, count } = headOf(layer, kvHead);
        return marks.same(layer * kvHeads + kvHead, mark, version, count);
      },
    },
    snapshot() {
      const back = heads.map((head) => head.snapshot());
      return () => {
        for (const restore of back) restore();
      };
    },
  };
}
