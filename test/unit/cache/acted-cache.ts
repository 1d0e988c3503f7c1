import { ACTIONS } from '../../../lib/cache/policy/action-table';
import type { ActedHead, ActionDefinition } from '../../../lib/cache/policy/actions';
import { createSlotCache } from '../../../lib/cache/slots/slot-cache';
import type { SlotCache } from '../../../lib/cache/slots/types';
import {
  type CacheAction,
  type CacheCorrector,
  cacheAction,
} from '../../../lib/spec/cache-actions';
import { prefill } from '../../../lib/transformer/generate';
import { ropeOf, rotateInto } from '../../../lib/transformer/reference';
import type { ProjectedRows, Transformer } from '../../../lib/transformer/types';

export interface Acting {
  readonly action: Record<string, unknown> & { readonly type: string };
  /** Share of the slots, the latest, that are kept. */
  readonly keptShare?: number;
  readonly corrector?: CacheCorrector;
  readonly storage?: 'f16' | 'f32';
}

/** A cache that holds a context after one action on all heads, with the latest slots kept. */
export function actedCache(
  model: Transformer,
  context: readonly number[],
  { action: input, keptShare = 0.25, corrector = { type: 'none' }, storage = 'f32' }: Acting,
): SlotCache {
  const { layers, kvHeads, headSize, heads } = model.config;
  const action: CacheAction = cacheAction.parse(input);
  const cache = createSlotCache(model.config, { storage });
  const projected: ProjectedRows[] = [];
  prefill(model, cache, context, 0, {
    hooks: {
      onProjected(layer, rows) {
        projected[layer] = rows;
      },
    },
  });
  const group = heads / kvHeads;
  const acted: ActedHead[] = [];
  for (let layer = 0; layer < layers; layer++) {
    for (let kvHead = 0; kvHead < kvHeads; kvHead++) {
      const head = cache.head(layer, kvHead);
      const keep = Math.round(keptShare * head.count);
      const slots = Int32Array.from({ length: head.count }, (_, slot) => slot);
      const window = Math.min(32, head.count);
      const { queries } = projected[layer]!;
      const data = new Float32Array(window * group * headSize);
      for (let row = 0; row < window; row++) {
        const from = ((head.count - window + row) * heads + kvHead * group) * headSize;
        data.set(queries.subarray(from, from + group * headSize), row * group * headSize);
      }
      acted.push({
        layer,
        kvHead,
        headSize,
        keys: head.keys(),
        values: head.values(),
        positions: head.positions.slice(),
        multiplicity: head.multiplicity.slice(),
        rotatedKeys: () => head.rotatedKeys(),
        scores: Float32Array.from(head.positions),
        kept: slots.slice(head.count - keep),
        victims: slots.slice(0, head.count - keep),
        queries: {
          rows: window,
          group,
          data,
          positions: head.positions.slice(head.count - window),
        },
      });
    }
  }
  if (action.type === 'none') return cache;
  const rope = ropeOf(model.config);
  const definition = ACTIONS[action.type] as ActionDefinition;
  const runs = definition.apply(acted, action, {
    model,
    corrector,
    unrotate(key, position) {
      rotateInto(key.slice(), 0, -position, rope, key, 0);
    },
  });
  acted.forEach(({ layer, kvHead }, i) => {
    cache.replace(layer, kvHead, runs[i]!);
  });
  return cache;
}

/** Bytes that a ledger counts, by role and in all. */
export function ledgerBytes(cache: SlotCache): { total: number; byRole: Record<string, number> } {
  const byRole: Record<string, number> = {};
  let total = 0;
  for (const { bytes } of cache.ledger().layers) {
    for (const [role, count] of Object.entries(bytes)) {
      byRole[role] = (byRole[role] ?? 0) + count;
      total += count;
    }
  }
  return { total, byRole };
}
