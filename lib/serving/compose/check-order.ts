import type { ComposedStrategy } from '../../spec/kinds/serve-parts';
import { pins } from '../parts/ttl';

/** Why parts that say who is inside, and where its KV goes, cannot work together. */
export function checkOrder(strategy: ComposedStrategy): string | undefined {
  const { batchFormer, kvAlloc, preemption, prefixIndex, priority, topology } = strategy;
  if (batchFormer.type === 'length-window') {
    if (preemption.type !== 'swap' || !preemption.forPriority)
      return 'invalid batchFormer: "length-window" without preemption "swap" for priority (who is not in the window gives up its place: choose it and switch forPriority on)';
    if (priority.type !== 'density')
      return `invalid batchFormer: "length-window" with priority "${priority.type}" (a window has the largest sum of what requests are worth: choose "density")`;
  }
  if (kvAlloc.type === 'block-group' && prefixIndex.type !== 'none')
    return `invalid kvAlloc: "block-group" with prefixIndex "${prefixIndex.type}" (what is found in a cache lies where it was made: choose "paged", or prefixIndex "none")`;
  if (preemption.type === 'swap') {
    if (batchFormer.type === 'static' && (preemption.forPriority || preemption.overlap !== 'none'))
      return 'invalid preemption: "swap" for priority or beside computing with batchFormer "static" (nothing joins a batch that runs: choose another former)';
    if (preemption.costTest && priority.type !== 'density')
      return `invalid preemption: "swap" with a cost test and priority "${priority.type}" (nothing says what a request is worth: choose "density", or switch costTest off)`;
    if (preemption.betweenTurns === 'host' && prefixIndex.type !== 'none')
      return `invalid preemption: "swap" of turns to the host with prefixIndex "${prefixIndex.type}" (both would keep the KV of a turn: choose "drop", or prefixIndex "none")`;
  }
  if (topology.type === 'pools' && pins(strategy.eviction))
    return `invalid eviction: "${strategy.eviction.type}" with topology "pools" (a turn ends on a decode replica, which keeps no cache to pin: choose "lru")`;
  return checkSessions(strategy) ?? checkEncode(strategy);
}

function checkSessions(strategy: ComposedStrategy): string | undefined {
  const { eviction, partition, prefixIndex, router, topology } = strategy;
  if (router.type === 'affinity-steal') {
    if (topology.type === 'pools')
      return 'invalid router: "affinity-steal" with topology "pools" (a session\'s KV is made in one pool and ends in the other: choose "prefix-affinity")';
    if (partition.type !== 'none')
      return `invalid router: "affinity-steal" with partition "${partition.type}" (taking over from one of two lanes is not simulated: choose "session-affine")`;
    if (prefixIndex.type === 'chunk')
      return 'invalid router: "affinity-steal" with prefixIndex "chunk" (what moves is a prefix: choose prefixIndex "block-hash" or "radix")';
  }
  if (eviction.type === 'lru-heads' && prefixIndex.type !== 'block-hash')
    return `invalid eviction: "lru-heads" with prefixIndex "${prefixIndex.type}" (a tree keeps what others follow: choose prefixIndex "block-hash")`;
  if (eviction.type === 'workflow-lru' && prefixIndex.type === 'chunk')
    return 'invalid eviction: "workflow-lru" with prefixIndex "chunk" (chunks belong to no session: choose "lru", "lfu", "fifo" or "gdsf")';
  return undefined;
}

function checkEncode({
  encode,
  partition,
  preemption,
  rejection,
  topology,
}: ComposedStrategy): string | undefined {
  if (encode.type === 'inline') {
    if (partition.type !== 'none')
      return `invalid encode: "inline" with partition "${partition.type}" (how an encoder shares the multiprocessors is not simulated: choose "pool")`;
    if (preemption.type === 'pause-at-operator')
      return 'invalid encode: "inline" with preemption "pause-at-operator" (stopping an encoder is not simulated: choose "pool")';
  }
  if (encode.type !== 'pool' || encode.roles.type === 'none') return undefined;
  if (topology.type !== 'pools')
    return 'invalid encode: "pool" with roles that change and topology "colocated" (who computes prompts decodes as well: choose "pools", or roles "none")';
  if (rejection.type === 'early')
    return 'invalid rejection: "early" with roles that change (what a replica will be is not predicted: choose "none", or roles "none")';
  return undefined;
}
