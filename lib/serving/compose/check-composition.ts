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
  const { prefixIndex, eviction, kvAlloc, topology, router, priority, tierStore, reuseRepair } =
    strategy;
  if (prefixIndex.type === 'chunk' && reuseRepair.type === 'exact')
    return 'invalid reuseRepair: "exact" with prefixIndex "chunk" (KV that was made behind other tokens is not exact: choose "fraction", of 0 to reuse it as it is, or "per-chunk")';
  if (prefixIndex.type !== 'chunk' && reuseRepair.type !== 'exact')
    return `invalid reuseRepair: "${reuseRepair.type}" with prefixIndex "${prefixIndex.type}" (a prefix is exact and needs no repair: choose "exact", or prefixIndex "chunk")`;
  if (prefixIndex.type === 'chunk' && eviction.type === 'belady')
    return 'invalid eviction: "belady" with prefixIndex "chunk" (the oracle knows prefixes only: choose "lru", "lfu", "fifo" or "gdsf")';
  if (prefixIndex.type === 'none') {
    if (router.type === 'prefix-affinity')
      return 'invalid router: "prefix-affinity" with prefixIndex "none" (no replica keeps a prefix: choose prefixIndex "block-hash" or "radix")';
    if (priority.type === 'lpm' || priority.type === 'hit-ratio')
      return `invalid priority: "${priority.type}" with prefixIndex "none" (no request has a cached prefix: choose prefixIndex "block-hash" or "radix")`;
    if (tierStore.type !== 'none')
      return 'invalid tierStore: "tiers" with prefixIndex "none" (what is stored is never found again: choose prefixIndex "block-hash" or "radix")';
    return eviction.type === 'lru'
      ? undefined
      : `invalid eviction: "${eviction.type}" with prefixIndex "none" (nothing is kept that could be evicted: choose prefixIndex "block-hash" or "radix")`;
  }
  if (tierStore.type === 'tiers') {
    const scopes = tierStore.levels.map(({ scope }) => scope);
    if (scopes.lastIndexOf('replica') > scopes.indexOf('shared') && scopes.includes('shared'))
      return 'invalid tierStore: a level of scope "replica" below one of scope "shared" (what the shared one drops belongs to no replica: put shared levels last)';
  }
  if (kvAlloc.type === 'contiguous-max')
    return `invalid kvAlloc: "contiguous-max" with prefixIndex "${prefixIndex.type}" (a slot's blocks belong to one request: choose "paged")`;
  if (topology.type === 'pools' && (eviction.type === 'ttl' || eviction.type === 'utility-ttl'))
    return `invalid eviction: "${eviction.type}" with topology "pools" (a turn ends on a decode replica, which keeps no cache to pin: choose "lru")`;
  return undefined;
}
