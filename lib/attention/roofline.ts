import type { AttentionShape } from '../spec/kinds/attention';
import type { AdapterRoof, AttentionTiming, RoofPlace } from './types';

/**
 * Bytes that a call must move at least once, f32: Q and O, and of K and V the keys that a mean row
 * sees, a lower bound on those that all rows see together.
 *
 * @param density share of all query-key pairs that is unmasked
 */
export function attentionBytes(shape: AttentionShape, density: number): number {
  const { batch, queryHeads, kvHeads, queries, keys, headSize } = shape;
  return 4 * batch * headSize * (2 * queryHeads * queries + 2 * kvHeads * keys * density);
}

/**
 * Where a run stands under a roof (Williams et al. 2009, Roofline): the attainable throughput is
 * the lesser of the compute roof and intensity x bandwidth.
 */
export function placeUnderRoof(
  roof: AdapterRoof,
  { flops, gigaflopsPerSecond }: Pick<AttentionTiming, 'flops' | 'gigaflopsPerSecond'>,
  bytes: number,
): RoofPlace {
  const flopsPerByte = flops / bytes;
  const byBandwidth = flopsPerByte * roof.copyGigabytesPerSecond;
  const isCompute = roof.matmulGigaflopsPerSecond <= byBandwidth;
  const attainable = isCompute ? roof.matmulGigaflopsPerSecond : byBandwidth;
  return {
    flopsPerByte,
    bound: isCompute ? 'compute' : 'bandwidth',
    attainableGigaflopsPerSecond: attainable,
    percent: attainable > 0 ? (100 * gigaflopsPerSecond) / attainable : 0,
  };
}

/** A roof is the best seen: what a run reached in arithmetic and in bytes lifts it. */
export function raisedRoof(
  roof: AdapterRoof,
  { flops, gigaflopsPerSecond }: Pick<AttentionTiming, 'flops' | 'gigaflopsPerSecond'>,
  bytes: number,
): AdapterRoof {
  if (!(flops > 0)) return roof;
  const matmul = Math.max(roof.matmulGigaflopsPerSecond, gigaflopsPerSecond);
  const copy = Math.max(roof.copyGigabytesPerSecond, (gigaflopsPerSecond * bytes) / flops);
  return matmul === roof.matmulGigaflopsPerSecond && copy === roof.copyGigabytesPerSecond
    ? roof
    : { ...roof, matmulGigaflopsPerSecond: matmul, copyGigabytesPerSecond: copy };
}
