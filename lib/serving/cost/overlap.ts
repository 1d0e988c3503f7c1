import type { z } from 'zod';
import type { serveOverlap } from '../../spec/kinds/serve-transform';

export type Overlap = z.output<typeof serveOverlap>;

/** Seconds of one layer by what they are spent on; one object is reused for every iteration. */
export interface LayerSeconds {
  /** Operators one after another, each the larger of its arithmetic and its bytes; no collectives. */
  serial: number;
  /** All arithmetic, and all memory traffic, of the layer. */
  arithmetic: number;
  memory: number;
  /** Matrix products and attention of prompts, each the larger of its two. */
  computeLane: number;
  /** Attention of decodes, norms and other passes over activations. */
  memoryLane: number;
  /** Norms and residual additions alone, part of `memoryLane`. */
  norms: number;
  /** Tensor-parallel collectives: start-up of both, and their bytes over the link. */
  networkLatency: number;
  networkBytes: number;
}

/** How often an iteration of so many tokens reads the weights: once for each part it is split in. */
export function weightReads(overlap: Overlap, tokens: number): number {
  if (overlap.type === 'lanes') return overlap.nanoBatches;
  return overlap.type === 'token-split' && tokens >= overlap.thresholdTokens ? 2 : 1;
}

/** Lanes that run at once: the longest, slowed by what runs beside it, and what nothing covers. */
function lanesSeconds(lanes: readonly number[], interference: number, uncovered: number): number {
  const sum = lanes.reduce((a, b) => a + b, 0);
  const longest = Math.max(...lanes);
  const others = sum - longest;
  // Lanes that hardly run cannot slow the longest by more than their own time in proportion.
  const slowed = longest + interference * Math.min(longest, others);
  return Math.min(sum, slowed + uncovered * others);
}

/**
 * Seconds that one layer takes when its resources overlap.
 *
 * - `serial`: operators and then collectives.
 * - `fused`: the larger of all arithmetic and all bytes, then collectives.
 * - `lanes` (NanoFlow, Zhu et al., 2024): compute, memory and network as lanes; the longest, times one
 *   plus the interference, and the uncovered share of the others. Weights are read by each nano-batch.
 * - `token-split` (TokenWeave, 2025): below the threshold reduce-scatter, norm on 1/tp of the tokens
 *   and all-gather as one; from it on, half of the tokens compute on what the collective of the other
 *   half leaves of the multiprocessors, and the last half's collective stays bare once an iteration.
 */
export function overlappedSeconds(
  layer: LayerSeconds,
  overlap: Overlap,
  { tokens, tensorParallel, layers }: { tokens: number; tensorParallel: number; layers: number },
): number {
  const network = layer.networkLatency + layer.networkBytes;
  switch (overlap.type) {
    case 'serial':
      return layer.serial + network;
    case 'fused':
      return Math.max(layer.arithmetic, layer.memory) + network;
    case 'lanes':
      return lanesSeconds(
        [layer.computeLane, layer.memoryLane, network],
        overlap.interference,
        overlap.uncovered,
      );
    case 'token-split': {
      if (tensorParallel === 1) return layer.serial;
      const compute = layer.serial - layer.norms;
      const norms = layer.norms / tensorParallel;
      if (tokens < overlap.thresholdTokens) return compute + norms + network;
      const fused = 2 * layer.networkLatency + layer.networkBytes + norms;
      const beside = compute / Math.max(1 - overlap.networkShare, 1e-3);
      return Math.max(beside, fused) + fused / (2 * layers);
    }
  }
}
