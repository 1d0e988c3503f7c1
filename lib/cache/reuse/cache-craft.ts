import { createRandom } from '../../random/random';
import type { Transformer } from '../../transformer/types';
import { createRowCache } from '../rows/row-cache';
import { openRowSession } from '../rows/row-session';
import type { SessionFactory } from '../types';
import { topRows } from './cache-blend';
import { type ChunkPlan, encodeAt, placeChunk, planChunks, type StoredChunk } from './chunks';

/** A chunk as an earlier request left it, with what it drew from the chunks before it there. */
export interface ContextualChunk {
  /** Number of the chunk in the present context. */
  readonly id: number;
  readonly chunk: StoredChunk;
  /** Chunks that stood before it, in their order. */
  readonly before: readonly number[];
  /** Mean attention of its tokens to each chunk before it, summed over the tokens. */
  readonly massOn: ReadonlyMap<number, number>;
  /** The same to its own tokens. */
  readonly ownMass: number;
  /** Mean attention of each token to chunks before it, [tokens]. */
  readonly outside: Float64Array;
}

export interface CacheCraftOptions {
  /** Multiplies the share that is computed again. Ours: the paper's form is known to us only in outline. */
  readonly alpha?: number;
  /** Order of the chunks in the earlier request; the seeded shuffle unless given. */
  readonly donorOrder?: 'shuffled' | 'same';
  readonly seed?: number;
}

/**
 * Cache-Craft (Agarwal et al., 2025): chunks come from an earlier request that held them in another
 * order. A chunk is computed again in part: alpha times how much it drew from other chunks times how
 * little of that stands before it now, the tokens that drew most first.
 *
 * A chunk that stood first there drew from none, and is taken as it is wherever it stands now.
 *
 * The product and its factors follow the paper's outline; the squashing and the constants are ours.
 */
export function cacheCraftSession(options: CacheCraftOptions = {}): SessionFactory {
  const { alpha = 1, donorOrder = 'shuffled', seed = 1 } = options;
  if (!(alpha >= 0)) throw new RangeError(`invalid alpha: ${alpha} (expected 0 or more)`);
  return {
    label: `Cache-Craft, alpha ${alpha}`,
    open(model) {
      const rows = createRowCache(model.config);
      let recomputed = 0;
      return openRowSession(model, {
        rows,
        encode(context, chunkStarts) {
          const plan = planChunks(context, chunkStarts, model.config.bosToken);
          const ids = plan.chunks.map((_, id) => id);
          const order = donorOrder === 'same' ? ids : shuffled(ids, seed);
          const { prefix, records } = encodeTogether(model, context, plan, order);
          placeChunk(rows, prefix, 0);
          const chosen: number[] = [];
          ids.forEach((id) => {
            const record = records.find((one) => one.id === id)!;
            const start = plan.chunks[id]![0];
            placeChunk(rows, record.chunk, start);
            const share = recomputeShare(record, ids.slice(0, id), alpha);
            const count = Math.ceil(share * record.chunk.tokens.length);
            chosen.push(...Array.from(topRows(record.outside, count), (row) => start + row));
          });
          if (chosen.length > 0) {
            const tokens = chosen.map((position) => context[position]!);
            model.forward({ tokens, positions: chosen, cache: rows, logits: 'none' });
          }
          recomputed = chosen.length * model.config.layers;
        },
        recomputedTokenLayers: () => recomputed,
      });
    },
  };
}

/** Share of a chunk's tokens to compute again, 0..1. */
export function recomputeShare(
  record: ContextualChunk,
  before: readonly number[],
  alpha: number,
): number {
  return Math.min(1, alpha * contextImpact(record) * (1 - prefixOverlap(record, before)));
}

/** Attention to other chunks over attention to all, 0..1: how much the stored form depends on them. */
export function contextImpact({ massOn, ownMass }: ContextualChunk): number {
  const outside = [...massOn.values()].reduce((sum, mass) => sum + mass, 0);
  return outside + ownMass > 0 ? outside / (outside + ownMass) : 0;
}

/**
 * Share of the attention to other chunks that went to chunks standing before this one now, times the
 * share of their pairs that kept their order. A chunk that drew from no other chunk fits anywhere: 1.
 */
export function prefixOverlap(record: ContextualChunk, before: readonly number[]): number {
  let total = 0;
  let shared = 0;
  for (const [id, mass] of record.massOn) {
    total += mass;
    if (before.includes(id)) shared += mass;
  }
  if (total === 0) return 1;
  const common = record.before.filter((id) => before.includes(id));
  let pairs = 0;
  let kept = 0;
  for (let i = 0; i < common.length; i++) {
    for (let j = i + 1; j < common.length; j++) {
      pairs++;
      if (before.indexOf(common[i]!) < before.indexOf(common[j]!)) kept++;
    }
  }
  return (shared / total) * (pairs === 0 ? 1 : kept / pairs);
}

/** Encodes the chunks one after another in an order, and measures who attends to whom. */
function encodeTogether(
  model: Transformer,
  context: readonly number[],
  { prefixEnd, chunks }: ChunkPlan,
  order: readonly number[],
): { readonly prefix: StoredChunk; readonly records: readonly ContextualChunk[] } {
  const { heads, layers } = model.config;
  const rows = createRowCache(model.config);
  const prefix = encodeAt(model, rows, context.slice(0, prefixEnd), 0);
  const chunkAt: number[] = new Array(prefixEnd).fill(-1);
  const records: ContextualChunk[] = [];
  order.forEach((id, place) => {
    const [start, end] = chunks[id]!;
    const at = chunkAt.length;
    for (let i = start; i < end; i++) chunkAt.push(id);
    const massOn = new Map<number, number>(order.slice(0, place).map((other) => [other, 0]));
    const outside = new Float64Array(end - start);
    let ownMass = 0;
    const watched = {
      ...rows,
      observe(attended: {
        rows: number;
        count: number;
        weights: Float32Array;
        positions: Int32Array;
      }) {
        const { count, weights, positions } = attended;
        const group = weights.length / (attended.rows * count);
        for (let i = 0; i < weights.length; i++) {
          const weight = weights[i]! / (layers * heads);
          const slot = chunkAt[positions[i % count]!]!;
          if (weight === 0 || slot < 0) continue;
          if (slot === id) ownMass += weight;
          else {
            massOn.set(slot, massOn.get(slot)! + weight);
            const row = Math.floor(i / (count * group));
            outside[row] = outside[row]! + weight;
          }
        }
      },
    };
    const chunk = encodeAt(model, watched, context.slice(start, end), at);
    records.push({ id, chunk, before: order.slice(0, place), massOn, ownMass, outside });
  });
  return { prefix, records };
}

function shuffled(items: readonly number[], seed: number): number[] {
  const random = createRandom(seed);
  const out = items.slice();
  for (let i = out.length - 1; i > 0; i--) {
    const j = random.integer(0, i);
    [out[i], out[j]] = [out[j]!, out[i]!];
  }
  return out;
}
