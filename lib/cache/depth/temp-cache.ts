import { halvesToNumbers, roundToHalves } from '../../attention/quantise/half';
import type { AttentionPart } from '../../transformer/types';
import { cosine } from '../retrieve/landmarks';
import type { HeadRows } from '../rows/head-rows';
import { createRowCache } from '../rows/row-cache';
import { openRowSession } from '../rows/row-session';
import type { LayerBytes, SessionFactory, SlotView } from '../types';

export interface TempCacheOptions {
  /** Smallest cosine between two rotated keys of one group; 1 merges equal keys only. */
  readonly threshold?: number;
  /** Adds the log of a group's size to its score; without it the merge is biased. */
  readonly countsMultiplicity?: boolean;
}

/** Rows that stand for groups of near-duplicate keys. */
export interface MergedRows {
  /** Last text position of each group, ascending: what a later query must have passed. */
  readonly positions: Int32Array;
  /** First position and number of tokens of each group. */
  readonly first: Int32Array;
  readonly sizes: Float32Array;
  readonly keys: Float32Array;
  /** Mean value of the group. */
  readonly values: Float32Array;
}

/**
 * Groups the first rows of a head by their nearest earlier key. With equal keys a group's softmax
 * weight is that of its tokens together once log(size) is added to its score, and its mean value is
 * theirs: attention does not change (TempCache's lemma).
 *
 * The key of a group is its first token's, so that keys cannot wander along a chain of near neighbours.
 */
export function mergeDuplicates(
  { rotated, values, positions }: Pick<HeadRows, 'rotated' | 'values' | 'positions'>,
  count: number,
  headSize: number,
  threshold: number,
): MergedRows {
  const groups: number[][] = [];
  for (let row = 0; row < count; row++) {
    let best = -1;
    let nearest = threshold;
    groups.forEach((group, i) => {
      const other = group[0]! * headSize;
      if (threshold >= 1) {
        if (best < 0 && equal(rotated, row * headSize, other, headSize)) best = i;
        return;
      }
      const near = cosine(rotated, row * headSize, rotated, other, headSize);
      if (near > nearest) {
        nearest = near;
        best = i;
      }
    });
    if (best < 0) groups.push([row]);
    else groups[best]!.push(row);
  }
  groups.sort((a, b) => a.at(-1)! - b.at(-1)!);
  const merged = {
    positions: Int32Array.from(groups, (group) => positions[group.at(-1)!]!),
    first: Int32Array.from(groups, (group) => positions[group[0]!]!),
    sizes: Float32Array.from(groups, ({ length }) => length),
    keys: new Float32Array(groups.length * headSize),
    values: new Float32Array(groups.length * headSize),
  };
  groups.forEach((group, i) => {
    const key = group[0]! * headSize;
    merged.keys.set(rotated.subarray(key, key + headSize), i * headSize);
    for (const row of group) {
      for (let d = 0; d < headSize; d++) {
        const at = i * headSize + d;
        merged.values[at] = merged.values[at]! + values[row * headSize + d]! / group.length;
      }
    }
  });
  return merged;
}

/** A group's slot as it is held: its first token's key before RoPE, and the mean value. */
interface HeldGroups extends MergedRows {
  readonly stored: { readonly keys: Uint16Array; readonly values: Uint16Array };
}

function held(merged: MergedRows, rows: HeadRows, headSize: number): HeldGroups {
  const keys = new Float32Array(merged.keys.length);
  merged.first.forEach((position, i) => {
    const at = rows.rowOf(position) * headSize;
    keys.set(rows.keys.subarray(at, at + headSize), i * headSize);
  });
  const values = roundToHalves(merged.values);
  return {
    ...merged,
    values: halvesToNumbers(values),
    stored: { keys: roundToHalves(keys), values },
  };
}

function equal(keys: Float32Array, a: number, b: number, length: number): boolean {
  for (let i = 0; i < length; i++) if (keys[a + i] !== keys[b + i]) return false;
  return true;
}

/**
 * TempCache (2026) on text: near-duplicate rotated keys of the context become one slot with a
 * multiplicity. Frames of a video repeat at equal angles; here RoPE turns a token's repeats apart, so
 * only a threshold below 1, or channels that hardly turn, find them. The search is exhaustive.
 */
export function tempCacheSession(options: TempCacheOptions = {}): SessionFactory {
  const { threshold = 0.9, countsMultiplicity = true } = options;
  if (!(threshold > -1 && threshold <= 1)) {
    throw new RangeError(`invalid threshold: ${threshold} (expected above -1, up to 1)`);
  }
  return {
    label: `TempCache, cosine above ${threshold}${countsMultiplicity ? '' : ', without log count'}`,
    open(model) {
      const { layers, kvHeads, headSize } = model.config;
      const rows = createRowCache(model.config);
      let merged: readonly HeldGroups[] = [];
      let contextTokens = 0;
      const tailOf = (layer: number, kvHead: number): AttentionPart => {
        const { count, rotated, values, positions } = rows.head(layer, kvHead);
        const from = merged.length > 0 ? contextTokens : 0;
        return {
          count: count - from,
          keys: rotated.subarray(from * headSize),
          values: values.subarray(from * headSize),
          positions: positions.subarray(from),
        };
      };
      return openRowSession(model, {
        rows,
        cache: {
          append: rows.append,
          queryIndex: rows.queryIndex,
          perQuery: false,
          parts(layer, kvHead) {
            const group = merged[layer * kvHeads + kvHead];
            const tail = tailOf(layer, kvHead);
            if (!group) return [tail];
            const { positions, keys, values, sizes } = group;
            const logMultiplicity = countsMultiplicity ? sizes.map(Math.log) : undefined;
            const part = { count: positions.length, keys, values, positions };
            return [logMultiplicity ? { ...part, logMultiplicity } : part, tail];
          },
        },
        encode(context) {
          contextTokens = context.length;
          const positions = context.map((_, i) => i);
          model.forward({ tokens: context, positions, cache: rows, logits: 'none' });
          merged = Array.from({ length: layers * kvHeads }, (_, i) => {
            const head = rows.head(Math.floor(i / kvHeads), i % kvHeads);
            return held(mergeDuplicates(head, contextTokens, headSize, threshold), head, headSize);
          });
        },
        layerBytes: () =>
          Array.from({ length: layers }, (_, layer): LayerBytes => {
            let payload = 0;
            let positions = 0;
            for (let kvHead = 0; kvHead < kvHeads; kvHead++) {
              const tail = tailOf(layer, kvHead);
              payload += tail.count * rows.head(layer, kvHead).rowBytes;
              const group = merged[layer * kvHeads + kvHead];
              if (!group) continue;
              payload += group.stored.keys.byteLength + group.stored.values.byteLength;
              positions += group.positions.byteLength + group.sizes.byteLength;
            }
            return {
              layer,
              tier: 'device',
              bytes: { payload, scales: 0, indices: 0, factors: 0, summaries: 0, positions },
            };
          }),
        slotCount: (layer, kvHead) =>
          (merged[layer * kvHeads + kvHead]?.positions.length ?? 0) + tailOf(layer, kvHead).count,
        slots(layer, kvHead): SlotView[] | undefined {
          const group = merged[layer * kvHeads + kvHead];
          if (!group) return undefined;
          const bytes = rows.head(layer, kvHead).rowBytes;
          const tail = tailOf(layer, kvHead).positions;
          return [
            ...Array.from(group.first, (position, i): SlotView => {
              const multiplicity = group.sizes[i]!;
              return { position, multiplicity, state: multiplicity > 1 ? 'merged' : 'kept', bytes };
            }),
            ...Array.from(
              tail,
              (position): SlotView => ({ position, multiplicity: 1, state: 'kept', bytes }),
            ),
          ];
        },
      });
    },
  };
}
