import type { ComposedStrategy } from '../../spec/kinds/serve-parts';
import { checkOrder } from './check-order';

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
  return checkShares(strategy) ?? checkCache(strategy) ?? checkOrder(strategy);
}

/** The same for parts that change what one accelerator does in an iteration. */
function checkShares(strategy: ComposedStrategy): string | undefined {
  const { admission, batchFormer, chunker, partition, preemption, topology } = strategy;
  const { prefixIndex, priority } = strategy;
  if (chunker.type === 'layer-group' && batchFormer.type !== 'iteration-level')
    return `invalid chunker: "layer-group" with batchFormer "${batchFormer.type}" (every iteration has all decodes and one group of layers: choose "iteration-level")`;
  if (chunker.type === 'layer-group' && topology.type === 'pools')
    return 'invalid chunker: "layer-group" with topology "pools" (no decodes run beside the prompts there: choose "colocated")';
  if (preemption.type === 'pause-at-operator') {
    if (topology.type !== 'pools')
      return `invalid preemption: "pause-at-operator" with topology "${topology.type}" (what pauses is a replica of prompts alone: choose "pools")`;
    if (priority.type !== 's-edf')
      return `invalid preemption: "pause-at-operator" with priority "${priority.type}" (a prompt is stopped for one with less time to spare: choose "s-edf")`;
    if (chunker.type !== 'whole')
      return `invalid preemption: "pause-at-operator" with chunker "${chunker.type}" (a prompt runs whole until it is stopped: choose "whole")`;
    if (prefixIndex.type !== 'none')
      return `invalid preemption: "pause-at-operator" with prefixIndex "${prefixIndex.type}" (what a stopped prompt may share is not simulated: choose "none")`;
  }
  if (partition.type === 'none') return undefined;
  const among = `with partition "${partition.type}"`;
  if (topology.type === 'pools')
    return `invalid topology: "pools" ${among} (both phases share one accelerator: choose "colocated")`;
  if (batchFormer.type === 'static')
    return `invalid batchFormer: "static" ${among} (prefill and decode never share a batch there: choose "prefill-first" or "decode-first")`;
  if (chunker.type === 'layer-group')
    return `invalid chunker: "layer-group" ${among} (prefill and decode never share a batch there: choose "whole", "budget" or "fixed")`;
  if (preemption.type === 'swap')
    return `invalid preemption: "swap" ${among} (the decode lane sends its victim back to be computed again: choose "recompute" or "none")`;
  if (preemption.type === 'recompute' && preemption.forPriority)
    return `invalid preemption: "recompute" for priority ${among} (what decodes is in the other lane: switch forPriority off)`;
  if (admission.type === 'future-peak')
    return `invalid admission: "future-peak" ${among} (it looks at the decodes of one lane: choose another)`;
  return undefined;
}

/** The same for the parts that keep KV. */
function checkCache(strategy: ComposedStrategy): string | undefined {
  const { prefixIndex, eviction, kvAlloc, router, priority, tierStore, reuseRepair } = strategy;
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
  return undefined;
}
