import { checkSize } from './checks';

/** Sizes of a model's attention that its cache depends on. */
export interface CacheSizes {
  readonly layers: number;
  readonly headSize: number;
  /** 2 for f16 and bf16. */
  readonly bytesPerElement: number;
}

/** Multi-head attention: layers x 2 x queryHeads x headSize x bytesPerElement. */
export function mhaBytesPerToken(sizes: CacheSizes & { readonly queryHeads: number }): number {
  checkSize('queryHeads', sizes.queryHeads);
  return sizes.layers * 2 * sizes.queryHeads * sizes.headSize * sizes.bytesPerElement;
}

/** Grouped-query attention: layers x 2 x kvHeads x headSize x bytesPerElement (Ainslie et al. 2023). */
export function gqaBytesPerToken(sizes: CacheSizes & { readonly kvHeads: number }): number {
  checkSize('kvHeads', sizes.kvHeads);
  return sizes.layers * 2 * sizes.kvHeads * sizes.headSize * sizes.bytesPerElement;
}

/** Multi-query attention: layers x 2 x headSize x bytesPerElement (Shazeer 2019). */
export function mqaBytesPerToken(sizes: CacheSizes): number {
  return sizes.layers * 2 * sizes.headSize * sizes.bytesPerElement;
}

/**
 * Multi-head latent attention: layers x (rank + ropeSize) x bytesPerElement, whatever the number of
 * heads: the latent serves keys and values, and one rotated key serves all heads (DeepSeek-V2, 2024).
 */
export function mlaBytesPerToken(
  sizes: Omit<CacheSizes, 'headSize'> & { readonly rank: number; readonly ropeSize: number },
): number {
  checkSize('rank', sizes.rank);
  return sizes.layers * (sizes.rank + sizes.ropeSize) * sizes.bytesPerElement;
}

/** KV heads of a grouped-query attention whose cache is as large as a latent one's; need not be whole. */
export function equivalentKvHeads(mla: {
  readonly rank: number;
  readonly ropeSize: number;
  readonly headSize: number;
}): number {
  return (mla.rank + mla.ropeSize) / (2 * mla.headSize);
}
