import type { CachePolicy } from '../../spec/cache-policy';
import { shareOut } from './share-out';

/** What the window's attention of a layer looks like to CAKE. */
export interface LayerPreference {
  /** -sum A log A over the heads, queries and keys. */
  readonly entropy: number;
  /** Sum over heads and keys of the variance over the queries. */
  readonly variance: number;
}

export interface Allocation {
  /** Slots per head on average. */
  readonly budget: number;
  /** Slots of each head now, [layers][kvHeads]; a layer cascade gives those run so far. */
  readonly counts: readonly (readonly number[])[];
  /** [layers][kvHeads][slots] */
  readonly scores: readonly (readonly Float32Array[])[];
  /** Slots that are forced in every head: what an allocator shares out is beyond them. */
  readonly forced: number;
  /** All layers of the model. */
  readonly layers: number;
  readonly preferences?: readonly LayerPreference[];
  /** Higher needs more of the context, [layers][kvHeads]. */
  readonly gates?: readonly (readonly number[])[];
}

/** Slots that each head may keep, [layers][kvHeads]. */
export function allocate(allocator: CachePolicy['allocator'], allocation: Allocation): number[][] {
  const { budget, counts, forced, layers } = allocation;
  switch (allocator.type) {
    case 'uniform':
      return counts.map((own) => own.map((count) => Math.min(count, budget)));
    case 'pyramid': {
      const beyond = Math.max(0, budget - forced);
      const longest = Math.max(...counts.flat()) - Math.min(forced, budget);
      const lines = Array.from({ length: layers }, (_, layer) =>
        pyramidLine(beyond, allocator.beta, layer, layers, longest),
      );
      return byLayer(lines, allocation);
    }
    case 'entropy-variance': {
      const { preferences } = allocation;
      if (!preferences) throw new Error('missing preferences: entropy-variance reads them');
      const weights = preferences.map(
        ({ entropy, variance }) =>
          Math.max(0, entropy) ** (1 / allocator.tau1) *
          Math.max(0, variance) ** (1 / allocator.tau2),
      );
      return byLayer(weights, allocation);
    }
    case 'ada':
      return counts.map((own, layer) =>
        acrossHeads(allocation.scores[layer]!, own, budget, allocator.floor, forced),
      );
    case 'classes':
      return byClass(allocation, allocator.otherTokens);
  }
}

/**
 * PyramidKV's line (Cai et al., 2024): from 2B - B / beta in layer 0 to B / beta in the last. Where
 * layer 0 would get more than there is, the line begins there and ends at 2B less that. The public press goes back to uniform budgets where the last layer would get less than the window; here
 * the window comes on top in every layer, so that small budgets stay a pyramid.
 */
export function pyramidLine(
  budget: number,
  beta: number,
  layer: number,
  layers: number,
  longest = Infinity,
): number {
  if (layers === 1) return budget;
  const most = Math.min(longest, 2 * budget - budget / beta);
  const least = 2 * budget - most;
  return most - ((most - least) * layer) / (layers - 1);
}

/** Whole slots of the total beyond the forced ones by layer weights; equal within a layer. */
function byLayer(weights: readonly number[], allocation: Allocation): number[][] {
  const { budget, counts, forced, layers } = allocation;
  const held = Math.min(forced, budget);
  const present = weights.slice(0, counts.length);
  const beyond = (budget - held) * layers;
  const caps = counts.map((own) => Math.max(0, Math.max(...own) - held));
  if (beyond === 0) return counts.map((own) => own.map((count) => Math.min(count, held)));
  const shares = shareOut(present, beyond, caps);
  return counts.map((own, layer) => own.map((count) => Math.min(count, held + shares[layer]!)));
}

/**
 * AdaKV (Feng et al., 2024): the layer's budget goes to the best scores of all its heads; each head
 * keeps a floor of its even share, and its forced slots.
 */
function acrossHeads(
  scores: readonly Float32Array[],
  counts: readonly number[],
  budget: number,
  floor: number,
  forced: number,
): number[] {
  const least = Math.min(budget, Math.max(forced, Math.floor(floor * budget), 1));
  const ranked = scores.flatMap((own, head) => {
    const sorted = Float64Array.from(own).sort().reverse();
    return Array.from(sorted.subarray(least), (score) => ({ head, score }));
  });
  ranked.sort((a, b) => b.score - a.score || a.head - b.head);
  const budgets = counts.map((count) => Math.min(count, least));
  const total = counts.reduce((sum, count) => sum + Math.min(count, budget), 0);
  let left = total - budgets.reduce((sum, own) => sum + own, 0);
  for (const { head } of ranked) {
    if (left <= 0) break;
    budgets[head]!++;
    left--;
  }
  return budgets;
}

/** Full heads by gate as far as the budget goes; what is left over makes the other heads longer. */
function byClass({ budget, counts, gates }: Allocation, otherTokens: number): number[][] {
  if (!gates) throw new Error('missing gates: classes reads them');
  const heads = counts.flatMap((own, layer) =>
    own.map((count, kvHead) => ({ layer, kvHead, count, gate: gates[layer]![kvHead]! })),
  );
  const total = heads.reduce((sum, { count }) => sum + Math.min(count, budget), 0);
  const least = Math.min(otherTokens, Math.floor(total / heads.length));
  const byGate = [...heads].sort(
    (a, b) => b.gate - a.gate || a.layer - b.layer || a.kvHead - b.kvHead,
  );
  const budgets = counts.map((own) => own.map((count) => Math.min(count, least)));
  let left = total - budgets.flat().reduce((sum, own) => sum + own, 0);
  let full = 0;
  for (const { layer, kvHead, count } of byGate) {
    const more = count - budgets[layer]![kvHead]!;
    if (more > left) break;
    budgets[layer]![kvHead] = count;
    left -= more;
    full++;
  }
  const others = byGate.slice(full);
  const extra = shareOutEvenly(left, others.length);
  others.forEach(({ layer, kvHead, count }, i) => {
    budgets[layer]![kvHead] = Math.min(count, budgets[layer]![kvHead]! + extra[i]!);
  });
  return budgets;
}

function shareOutEvenly(total: number, parts: number): number[] {
  const each = parts === 0 ? 0 : Math.floor(total / parts);
  return Array.from({ length: parts }, (_, i) => each + (i < total - each * parts ? 1 : 0));
}
