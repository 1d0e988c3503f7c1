import type { ComposedStrategy } from '../../spec/kinds/serve-parts';

/** Why parts that are valid alone cannot work together, in one sentence; undefined when they can. */
export function checkComposition(strategy: ComposedStrategy): string | undefined {
  const { admission, preemption, kvAlloc, batchFormer, topology } = strategy;
  const reserves =
    kvAlloc.type === 'contiguous-max' ||
    admission.type === 'reserve-max' ||
    admission.type === 'whole-request';
  if (preemption.type === 'none' && !reserves) {
    return `invalid preemption: "none" with admission "${admission.type}" and kvAlloc "paged" (requests grow while they decode, and nothing reserves the blocks: choose admission "reserve-max" or "whole-request", kvAlloc "contiguous-max", or preemption "recompute" or "swap")`;
  }
  if (
    kvAlloc.type === 'contiguous-max' &&
    admission.type === 'reserve-max' &&
    admission.maxTokens > kvAlloc.maxTokens
  ) {
    return `invalid admission: "reserve-max" of ${admission.maxTokens} tokens over a kvAlloc of ${kvAlloc.maxTokens} (a request may not be longer than its slot)`;
  }
  if (topology.type === 'pools' && preemption.type === 'swap')
    return 'invalid preemption: "swap" with topology "pools" (a decode pool sends its victim back to be computed again: choose "recompute" or "none")';
  if (topology.type === 'pools' && batchFormer.type === 'static')
    return 'invalid batchFormer: "static" with topology "pools" (prefill and decode never share a batch there: choose "prefill-first" or "decode-first")';
  return checkCache(strategy);
}

/** The same for the parts that keep KV. */
function checkCache(strategy: ComposedStrategy): string | undefined {
  const { prefixIndex, eviction, kvAlloc, topology } = strategy;
  if (prefixIndex.type === 'none') {
    return eviction.type === 'lru'
      ? undefined
      : `invalid eviction: "${eviction.type}" with prefixIndex "none" (nothing is kept that could be evicted: choose prefixIndex "block-hash" or "radix")`;
  }
  if (kvAlloc.type === 'contiguous-max')
    return `invalid kvAlloc: "contiguous-max" with prefixIndex "${prefixIndex.type}" (a slot's blocks belong to one request: choose "paged")`;
  if (topology.type === 'pools' && (eviction.type === 'ttl' || eviction.type === 'utility-ttl'))
    return `invalid eviction: "${eviction.type}" with topology "pools" (a turn ends on a decode replica, which keeps no cache to pin: choose "lru")`;
  return undefined;
}
