import { computes, countsImages } from '../lane-roles';
import { kvBytesPerToken, weightBytes } from '../presets/kv-plan';
import type { HardwareSpec, ModelSpec, ServeResult } from '../types';
import { blockSeconds } from './block-seconds';

export const RESOURCES = ['compute', 'bandwidth', 'kvCapacity', 'link', 'encoder'] as const;
export type Resource = (typeof RESOURCES)[number];

/** Shares in [0, 1] of what the data sheet gives, over equal pieces of the run. */
export interface Utilisation {
  readonly binSeconds: number;
  readonly series: Readonly<Record<Resource, Float32Array>>;
  /** Over the whole run. */
  readonly mean: Readonly<Record<Resource, number>>;
  /** Of links, stores and encoders there may be none: that is not a zero but nothing. */
  readonly hasLink: boolean;
  readonly hasEncoder: boolean;
}

type Subject = Pick<ServeResult, 'lanes' | 'kvPlan' | 'metrics' | 'accelerators'>;

/** Adds `amount`, spread evenly over [start, end), to the bins that it lies in. */
function spread(
  bins: Float64Array,
  binSeconds: number,
  start: number,
  end: number,
  amount: number,
): void {
  const first = Math.max(0, Math.floor(start / binSeconds));
  const last = Math.min(bins.length - 1, Math.floor(end / binSeconds));
  if (first >= last || end <= start) {
    const at = Math.min(bins.length - 1, first);
    bins[at] = (bins[at] as number) + amount;
    return;
  }
  const perSecond = amount / (end - start);
  for (let b = first; b <= last; b++) {
    const from = Math.max(start, b * binSeconds);
    const to = b === last ? end : Math.min(end, (b + 1) * binSeconds);
    bins[b] = (bins[b] as number) + perSecond * (to - from);
  }
}

/**
 * How much of each resource a run used, over time, from its lanes. Arithmetic is 2 FLOP per weight
 * and token, against the dense peak; bytes are the weights once per iteration and, where it decodes,
 * all KV that is in use, which bounds what is read from above. Attention's arithmetic is left out.
 * Both are held against all accelerators of the run; what encoders compute is their own share of time.
 */
export function utilisation(
  { lanes, kvPlan, metrics, accelerators }: Subject,
  model: ModelSpec,
  hardware: HardwareSpec,
  bins: number,
): Utilisation {
  const binSeconds = Math.max(1e-9, metrics.makespanSeconds) / bins;
  const empty = () => new Float64Array(bins);
  const sums: Readonly<Record<Resource, Float64Array>> = {
    compute: empty(),
    bandwidth: empty(),
    kvCapacity: empty(),
    link: empty(),
    encoder: empty(),
  };
  const add = (name: Resource, start: number, end: number, amount: number) =>
    spread(sums[name], binSeconds, start, end, amount);
  const weights = weightBytes(model);
  // The input embedding is looked up, not multiplied.
  const multiplied = weights / model.bytesPerWeight - model.vocabularySize * model.hiddenSize;
  const kvBytes = kvBytesPerToken(model);
  let links = 0;
  let encoders = 0;
  let blocksTotal = 0;
  for (const lane of lanes) {
    const { startSeconds, durationSeconds, role } = lane;
    if (role === 'share' || lane.traffic === 'images') continue;
    const isSide = !computes(lane);
    if (isSide && countsImages(lane)) encoders++;
    else if (isSide) links++;
    for (let i = 0; i < startSeconds.length; i++) {
      const start = startSeconds[i] as number;
      const end = start + (durationSeconds[i] as number);
      if (isSide) {
        add(role === 'encode' ? 'encoder' : 'link', start, end, end - start);
        continue;
      }
      const times = lane.runIterations?.[i] ?? 1;
      const decodes = lane.decodeTokens[i] as number;
      const tokens = (lane.prefillTokens[i] as number) + decodes;
      const blocks = lane.kvBlocksUsed[i] as number;
      const read = weights + (decodes > 0 ? blocks * kvPlan.blockTokens * kvBytes : 0);
      add('compute', start, end, 2 * multiplied * tokens * times);
      add('bandwidth', start, end, read * times);
    }
    if (isSide || lane.memoryOf !== undefined) continue;
    blocksTotal += lane.kvBlocksTotal;
    const other = lanes.find(({ memoryOf }) => memoryOf === lane.id);
    blockSeconds(lane, other, (start, end, blocks) => {
      if (end > start) add('kvCapacity', start, end, blocks * (end - start));
    });
  }
  const full: Readonly<Record<Resource, number>> = {
    compute: accelerators * hardware.peakFlopsPerSecond * binSeconds,
    bandwidth: accelerators * hardware.bandwidthBytesPerSecond * binSeconds,
    kvCapacity: Math.max(1, blocksTotal) * binSeconds,
    link: Math.max(1, links) * binSeconds,
    encoder: Math.max(1, encoders) * binSeconds,
  };
  const each = <T>(of: (name: Resource) => T): Readonly<Record<Resource, T>> => ({
    compute: of('compute'),
    bandwidth: of('bandwidth'),
    kvCapacity: of('kvCapacity'),
    link: of('link'),
    encoder: of('encoder'),
  });
  return {
    binSeconds,
    series: each((name) => Float32Array.from(sums[name], (sum) => Math.min(1, sum / full[name]))),
    mean: each((name) => Math.min(1, sums[name].reduce((a, b) => a + b, 0) / (bins * full[name]))),
    hasLink: links > 0,
    hasEncoder: encoders > 0,
  };
}
