import { kvBytesPerToken, weightBytes } from '../presets/kv-plan';
import type { HardwareSpec, ModelSpec, ServeResult, TimelineLane } from '../types';

export const RESOURCES = ['compute', 'bandwidth', 'kvCapacity', 'link'] as const;
export type Resource = (typeof RESOURCES)[number];

/** Shares in [0, 1] of what the data sheet gives, over equal pieces of the run. */
export interface Utilisation {
  readonly binSeconds: number;
  readonly series: Readonly<Record<Resource, Float32Array>>;
  /** Over the whole run. */
  readonly mean: Readonly<Record<Resource, number>>;
  /** The link's is not a zero but nothing where there is none. */
  readonly hasLink: boolean;
}

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
 */
export function utilisation(
  { lanes, kvPlan, metrics }: Pick<ServeResult, 'lanes' | 'kvPlan' | 'metrics'>,
  model: ModelSpec,
  hardware: HardwareSpec,
  tensorParallel: number,
  bins: number,
): Utilisation {
  const binSeconds = Math.max(1e-9, metrics.makespanSeconds) / bins;
  const flops = new Float64Array(bins);
  const bytes = new Float64Array(bins);
  const blockSeconds = new Float64Array(bins);
  const linkSeconds = new Float64Array(bins);
  const weights = weightBytes(model);
  // The input embedding is looked up, not multiplied.
  const multiplied = weights / model.bytesPerWeight - model.vocabularySize * model.hiddenSize;
  const kvBytes = kvBytesPerToken(model);
  let links = 0;
  let replicas = 0;
  const addLane = (lane: TimelineLane): void => {
    const { startSeconds, durationSeconds } = lane;
    for (let i = 0; i < startSeconds.length; i++) {
      const start = startSeconds[i] as number;
      const end = start + (durationSeconds[i] as number);
      if (lane.role === 'link') {
        spread(linkSeconds, binSeconds, start, end, end - start);
        continue;
      }
      const times = lane.runIterations?.[i] ?? 1;
      const decodes = lane.decodeTokens[i] as number;
      const tokens = (lane.prefillTokens[i] as number) + decodes;
      const blocks = lane.kvBlocksUsed[i] as number;
      const read = weights + (decodes > 0 ? blocks * kvPlan.blockTokens * kvBytes : 0);
      spread(flops, binSeconds, start, end, 2 * multiplied * tokens * times);
      spread(bytes, binSeconds, start, end, read * times);
      spread(blockSeconds, binSeconds, start, end, blocks * (end - start));
    }
  };
  for (const lane of lanes) {
    if (lane.role === 'share') continue;
    if (lane.role === 'link') links++;
    else replicas++;
    addLane(lane);
  }
  const accelerators = replicas * tensorParallel;
  const full: Readonly<Record<Resource, number>> = {
    compute: accelerators * hardware.peakFlopsPerSecond * binSeconds,
    bandwidth: accelerators * hardware.bandwidthBytesPerSecond * binSeconds,
    kvCapacity: replicas * kvPlan.blocks * binSeconds,
    link: Math.max(1, links) * binSeconds,
  };
  const sums = { compute: flops, bandwidth: bytes, kvCapacity: blockSeconds, link: linkSeconds };
  const share = (name: Resource) =>
    Float32Array.from(sums[name], (sum) => Math.min(1, sum / full[name]));
  const mean = (name: Resource) =>
    Math.min(1, sums[name].reduce((a, b) => a + b, 0) / (bins * full[name]));
  return {
    binSeconds,
    series: {
      compute: share('compute'),
      bandwidth: share('bandwidth'),
      kvCapacity: share('kvCapacity'),
      link: share('link'),
    },
    mean: {
      compute: mean('compute'),
      bandwidth: mean('bandwidth'),
      kvCapacity: mean('kvCapacity'),
      link: mean('link'),
    },
    hasLink: links > 0,
  };
}
