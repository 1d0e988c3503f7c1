import { createFullCache } from '../../lib/transformer/full-cache';
import type {
  AttendedRows,
  AttentionCache,
  AttentionPart,
  QueryRow,
  TransformerConfig,
} from '../../lib/transformer/types';

/** What a cache of the tests does with the slots of the full one; each by a rule of slot and head. */
export interface TestCacheOptions {
  /** Drops slots, other ones in every head. */
  readonly ragged?: boolean;
  /** Slots in another order than their positions. */
  readonly shuffled?: boolean;
  readonly multiplicity?: boolean;
  /** Of a cache of one part. */
  readonly temperature?: number;
  /** Splits the slots among so many parts, with temperatures and scales; the last part is empty. */
  readonly parts?: number;
  /** Slots are chosen for every query row, by its position. */
  readonly perQuery?: boolean;
  /** Queries at another RoPE index than their position, fractional and negative ones too. */
  readonly indexShift?: number;
  readonly observes?: boolean;
}

export interface TestCache extends AttentionCache {
  /** What was observed, in order. */
  readonly observed: readonly AttendedRows[];
  /** Query rows that slots were chosen for, in order. */
  readonly asked: readonly QueryRow[];
}

/** A cache over the full one that is as irregular as the options say. */
export function createTestCache(
  config: TransformerConfig,
  options: TestCacheOptions = {},
): TestCache {
  const full = createFullCache(config);
  const observed: AttendedRows[] = [];
  const asked: QueryRow[] = [];
  const { headSize } = config;

  function slotsOf(layer: number, kvHead: number, count: number): number[] {
    let slots = Array.from({ length: count }, (_, slot) => slot);
    if (options.ragged) {
      slots = slots.filter((slot) => (slot * 7 + layer * 3 + kvHead * 5) % (3 + kvHead) !== 1);
    }
    if (options.shuffled) slots.sort((a, b) => ((a * 5) % 11) - ((b * 5) % 11) || b - a);
    return slots;
  }

  function take(part: AttentionPart, slots: readonly number[]): AttentionPart {
    const rows = (values: Float32Array) => {
      const out = new Float32Array(slots.length * headSize);
      slots.forEach((slot, i) => {
        out.set(values.subarray(slot * headSize, (slot + 1) * headSize), i * headSize);
      });
      return out;
    };
    return {
      count: slots.length,
      keys: rows(part.keys),
      values: rows(part.values),
      positions: Int32Array.from(slots, (slot) => part.positions[slot]!),
      ...(options.multiplicity
        ? { logMultiplicity: Float32Array.from(slots, (slot) => Math.log(1 + (slot % 4))) }
        : {}),
    };
  }

  function isChosen(part: AttentionPart, slot: number, position: number): boolean {
    return part.positions[slot]! >= position - 1 || (slot * 3 + position) % 4 !== 0;
  }

  const cache: TestCache = {
    perQuery: options.perQuery ?? false,
    observed,
    asked,
    append: full.append,
    queryIndex: (_layer, kvHead, position) =>
      position + (options.indexShift ?? 0) * (1 + kvHead / 4),
    parts(layer, kvHead, query) {
      const whole = full.parts(layer, kvHead)[0]!;
      let slots = slotsOf(layer, kvHead, whole.count);
      if (query) {
        asked.push({ queries: query.queries.slice(), position: query.position });
        slots = slots.filter((slot) => isChosen(whole, slot, query.position));
      }
      const count = options.parts ?? 1;
      if (count === 1) {
        const { temperature } = options;
        return [{ ...take(whole, slots), ...(temperature ? { temperature } : {}) }];
      }
      return Array.from({ length: count }, (_, part) => ({
        ...take(
          whole,
          slots.filter((slot) => slot % (count - 1) === part),
        ),
        ...(part % 2 === 1 ? { temperature: 0.7, lseScale: 0.8 } : {}),
      }));
    },
  };
  if (!options.observes) return cache;
  return {
    ...cache,
    observe(attended) {
      observed.push({ ...attended, weights: attended.weights.slice() });
    },
  };
}
