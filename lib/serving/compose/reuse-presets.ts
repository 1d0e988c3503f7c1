import { type ComposedStrategy, composedStrategy } from '../../spec/kinds/serve-parts';
import type { StrategyPreset } from './presets';

type Parts = Omit<Partial<Record<keyof ComposedStrategy, unknown>>, 'type'>;

/** Chunked prefill beside decoding, with a cache of prefixes: what the published systems extend. */
const make = (parts: Parts): ComposedStrategy =>
  composedStrategy.parse({
    type: 'composed',
    batchFormer: { type: 'decode-first', tokenBudget: 2048 },
    preemption: { type: 'recompute', victim: 'last-admitted' },
    prefixIndex: { type: 'block-hash' },
    ...parts,
  });

const evidence = 'from the paper, not checked against code';

/** Published ways not to compute the same KV twice. The workload must say which tokens are the same. */
export const REUSE_PRESETS: readonly StrategyPreset[] = [
  {
    id: 'sglang',
    title: 'SGLang, radix cache and cache-aware routing',
    source: 'SGLang (Zheng et al., 2024) and its router',
    evidence,
    rule: 'finished requests stay in a tree of token sequences, and the least recently used leaf makes room. waiting requests enter by the longest cached prefix, or by arrival when more than 128 wait. the router sends a request where most of its prompt is cached if that is above half, else where most memory is free; when loads are too far apart it goes to the least loaded. the router here sees the trees themselves, the published one keeps a copy of its own.',
    strategy: make({
      name: 'SGLang',
      router: { type: 'prefix-affinity' },
      priority: { type: 'lpm' },
      admission: { type: 'fits', maxSequences: 1024 },
      batchFormer: { type: 'prefill-first', maxBatchedTokens: 8192, counting: 'sum' },
      prefixIndex: { type: 'radix' },
    }),
  },
  {
    id: 'mooncake',
    title: 'Mooncake-style pools around a shared cache',
    source: 'Mooncake (Qin et al., 2025)',
    evidence,
    rule: 'prompts and decoding run in pools of their own. the KV of every prompt goes to a store that all prefill replicas read, and what is found there is loaded layer by layer beside the prefill where that is faster. a request goes where its first token is estimated to come first. it is rejected when it is sent if no replica is predicted to keep the two times, those that will decode later counted in. hot blocks are not copied in advance, and the store has one link here.',
    strategy: make({
      name: 'Mooncake',
      topology: { type: 'pools' },
      router: { type: 'least-ttft' },
      preemption: { type: 'recompute', victim: 'latest-arrival' },
      tierStore: {
        type: 'tiers',
        levels: [{ name: 'shared', scope: 'shared', capacityGigabytes: 1000 }],
        overlap: 'layer-wise',
        write: 'through',
      },
      rejection: { type: 'early', ttftSeconds: 30, tbtSeconds: 0.2 },
    }),
  },
  {
    id: 'lmcache',
    title: 'LMCache, host memory and disk below the accelerator',
    source: 'LMCache (Cheng et al., 2025)',
    evidence,
    rule: 'KV is written to host memory as it is made, and to a disk below it. a request loads what follows its cached prefix from the fastest level that has it, layer by layer beside the prefill. each level drops what was least recently used. sizes and speeds here are those of a common host, not of the paper.',
    strategy: make({
      name: 'LMCache',
      tierStore: {
        type: 'tiers',
        levels: [
          { name: 'host', capacityGigabytes: 128 },
          {
            name: 'disk',
            capacityGigabytes: 1000,
            readGigabytesPerSecond: 5,
            writeGigabytesPerSecond: 3,
            latencyMicroseconds: 100,
          },
        ],
        load: 'always',
        overlap: 'layer-wise',
        write: 'through',
      },
    }),
  },
  {
    id: 'cachegen',
    title: 'CacheGen, coded KV over a network',
    source: 'CacheGen (Liu et al., 2024)',
    evidence,
    rule: 'KV stands in a remote store, coded to about a quarter of its size, which is what the abstract claims. a request loads it where the estimate says that this is faster than to compute the prompt, else computes. the coder changes values a little, which is not simulated; neither are its levels of quality, nor the time to decode.',
    strategy: make({
      name: 'CacheGen',
      tierStore: {
        type: 'tiers',
        levels: [
          {
            name: 'remote',
            scope: 'shared',
            capacityGigabytes: 1000,
            readGigabytesPerSecond: 0.375,
            writeGigabytesPerSecond: 0.375,
            latencyMicroseconds: 500,
            bytesRatio: 0.25,
          },
        ],
        write: 'through',
      },
    }),
  },
  {
    id: 'cacheblend',
    title: 'CacheBlend, chunks with a share computed again',
    source: 'CacheBlend (Yao et al., 2025)',
    evidence,
    rule: 'the KV of a chunk of text is reused at any place of a prompt. the first chunk is exact; of the others a share of the tokens, those whose KV is farthest off, is computed again, 0.18 here as in an example of the code. a layer is loaded while the one before is repaired. what the repair leaves wrong in the answers is not simulated.',
    strategy: make({
      name: 'CacheBlend',
      prefixIndex: { type: 'chunk' },
      reuseRepair: { type: 'fraction', fraction: 0.18 },
      tierStore: {
        type: 'tiers',
        levels: [
          {
            name: 'disk',
            capacityGigabytes: 1000,
            readGigabytesPerSecond: 4.8,
            writeGigabytesPerSecond: 3,
            latencyMicroseconds: 100,
          },
        ],
        overlap: 'layer-wise',
        write: 'through',
      },
    }),
  },
  {
    id: 'cache-craft',
    title: 'Cache-Craft, chunk versions repaired by need',
    source: 'Cache-Craft (Agarwal et al., 2025)',
    evidence,
    rule: 'a chunk is kept with the chunks that stood before it. the share of it to compute again grows with how few of those precede it now and with how much it looks at them; above a threshold it is computed whole and kept as another version. what is used often and is slow to compute stays longest. the weight of a chunk is one figure for all here, where the paper measures each.',
    strategy: make({
      name: 'Cache-Craft',
      prefixIndex: { type: 'chunk' },
      reuseRepair: { type: 'per-chunk' },
      eviction: { type: 'gdsf' },
      tierStore: { type: 'tiers', levels: [{ name: 'host' }], overlap: 'layer-wise' },
    }),
  },
  {
    id: 'continuum',
    title: 'Continuum, KV pinned while a tool runs',
    source: 'Continuum (2025), by a summary',
    evidence,
    rule: 'when a turn of a program ends, its KV stays pinned for the time that pays best: the chance that the program is back by then, by the gaps seen so far, times what its return would otherwise cost, less the memory held. programs go in the order in which they came. if nothing can start, pins are given up, the newest program first. all gaps are taken together here, not tool by tool.',
    strategy: make({
      name: 'Continuum',
      router: { type: 'session-affine' },
      priority: { type: 'program-fcfs' },
      eviction: { type: 'utility-ttl' },
    }),
  },
];
