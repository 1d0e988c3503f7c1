import { ACTIONS } from '../../../lib/cache/policy/action-table';
import type { ActedHead, ActionDefinition } from '../../../lib/cache/policy/actions';
import { keepBest } from '../../../lib/cache/represent/merge/into-kept';
import { createSlotCache } from '../../../lib/cache/slots/slot-cache';
import type { SlotCache } from '../../../lib/cache/slots/types';
import { type CacheCorrector, cacheAction } from '../../../lib/spec/cache-actions';
import { prefill } from '../../../lib/transformer/generate';
import { ropeOf, rotateInto } from '../../../lib/transformer/reference';
import type { ProjectedRows, Transformer } from '../../../lib/transformer/types';

export interface Method {
  readonly id: string;
  /** As a policy writes it. */
  readonly action: object;
  readonly corrector?: CacheCorrector;
  /** Share of the slots that are kept: half of them the latest, half the best scored. */
  readonly keptShare?: number;
  readonly score?: 'sum' | 'per-visible';
}

/** A context in a cache, with what scorers and actions may look at. */
export interface Prefilled {
  readonly cache: SlotCache;
  readonly heads: readonly Omit<ActedHead, 'scores' | 'kept' | 'victims'>[];
  /** Attention summed over all queries, by head. */
  readonly attention: readonly Float64Array[];
}

/** Queries of the prompt's end that actions may look at. */
const WINDOW_QUERIES = 32;

export function prefilled(model: Transformer, context: readonly number[]): Prefilled {
  const { layers, kvHeads, headSize, heads } = model.config;
  const group = heads / kvHeads;
  const cache = createSlotCache(model.config, { storage: 'f16' });
  const projected: ProjectedRows[] = [];
  const attention = Array.from(
    { length: layers * kvHeads },
    () => new Float64Array(context.length),
  );
  cache.setObserver(({ layer, kvHead, weights, count }) => {
    const sums = attention[layer * kvHeads + kvHead]!;
    weights.forEach((weight, i) => {
      sums[i % count] = sums[i % count]! + weight / group;
    });
  });
  prefill(model, cache, context, 0, {
    hooks: {
      onProjected(layer, rows) {
        projected[layer] = rows;
      },
    },
  });
  cache.setObserver(undefined);
  const acted = attention.map((_, index) => {
    const layer = Math.floor(index / kvHeads);
    const kvHead = index % kvHeads;
    const head = cache.head(layer, kvHead);
    const rows = Math.min(WINDOW_QUERIES, head.count);
    const first = head.count - rows;
    const data = new Float32Array(rows * group * headSize);
    for (let row = 0; row < rows; row++) {
      const from = ((first + row) * heads + kvHead * group) * headSize;
      data.set(
        projected[layer]!.queries.subarray(from, from + group * headSize),
        row * group * headSize,
      );
    }
    const rotated = head.rotatedKeys().slice();
    return {
      layer,
      kvHead,
      headSize,
      keys: head.keys(),
      values: head.values(),
      positions: head.positions.slice(),
      multiplicity: head.multiplicity.slice(),
      rotatedKeys: () => rotated,
      queries: { rows, group, data, positions: head.positions.slice(first) },
    };
  });
  return { cache, heads: acted, attention };
}

/** Compresses the cache by a method. */
export function act(model: Transformer, { cache, heads, attention }: Prefilled, method: Method) {
  const { keptShare = 1, score = 'sum' } = method;
  const rope = ropeOf(model.config);
  const context = {
    model,
    corrector: method.corrector ?? ({ type: 'none' } as const),
    unrotate(key: Float32Array, position: number) {
      rotateInto(key.slice(), 0, -position, rope, key, 0);
    },
  };
  const split = heads.map((head, index): ActedHead => {
    const count = head.positions.length;
    const sums = attention[index]!;
    const scores = Float32Array.from(sums, (sum, slot) =>
      score === 'sum' ? sum : sum / (count - slot),
    );
    const keep = Math.max(1, Math.round(keptShare * count));
    const recent = Array.from({ length: count }, (_, slot) => slot >= count - Math.floor(keep / 2));
    const isKept = keepBest(scores, keep, recent);
    const slots = head.positions.map((_, slot) => slot);
    return {
      ...head,
      scores,
      kept: slots.filter((slot) => isKept[slot]),
      victims: slots.filter((slot) => !isKept[slot]),
    };
  });
  const action = cacheAction.parse(method.action);
  if (action.type === 'none') return;
  if (action.type === 'evict') {
    for (const { layer, kvHead, kept } of split) cache.keep(layer, kvHead, kept);
    return;
  }
  const runs = (ACTIONS[action.type] as ActionDefinition).apply(split, action, context);
  heads.forEach(({ layer, kvHead }, i) => {
    cache.replace(layer, kvHead, runs[i]!);
  });
}
