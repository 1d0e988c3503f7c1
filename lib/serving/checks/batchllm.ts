import { createRandom, type Random } from '../../random/random';
import type { CheckProgress, CheckResult, RowCheck } from './types';

/** A node of the trie of prompts: its own tokens, and what goes on from it. */
export interface PrefixNode {
  readonly tokens: number;
  readonly children: readonly PrefixNode[];
}

const leavesOf = ({ children }: PrefixNode): number =>
  children.length === 0 ? 1 : children.reduce((sum, child) => sum + leavesOf(child), 0);

/**
 * Prompt tokens that are not computed when every request may share one prefix only, chosen by a walk
 * from the leaves: below a node either all share what leads to it, or each child goes on by itself.
 *
 * @param above tokens from the root to the node, its own left out
 */
export function oneLevelSaving(node: PrefixNode, above = 0): number {
  const depth = above + node.tokens;
  const together = (leavesOf(node) - 1) * depth;
  const apart = node.children.reduce((sum, child) => sum + oneLevelSaving(child, depth), 0);
  return Math.max(together, apart);
}

/** The same when the prefixes of the first level are shared whatever comes below. */
export function topLevelSaving({ children }: PrefixNode): number {
  return children.reduce((sum, child) => sum + (leavesOf(child) - 1) * child.tokens, 0);
}

interface Load {
  readonly groups: number;
  readonly share: number;
  readonly prefixTokens: number;
  readonly ownTokens: number;
}

const totalOf = ({ groups, share, prefixTokens, ownTokens }: Load): number =>
  groups * share * (prefixTokens + ownTokens);

/**
 * Share of the prompt tokens that are found again when requests come in `order` (their groups) and
 * the least recently used prefix or suffix leaves a cache of `cacheTokens`.
 */
export function lruSaving(order: readonly number[], load: Load, cacheTokens: number): number {
  // A Map keeps the order of insertion: its first entry is the one not used for longest.
  const cached = new Map<number, number>();
  let used = 0;
  let saved = 0;
  let suffix = -1;
  const touch = (key: number, tokens: number): boolean => {
    const isHit = cached.delete(key);
    cached.set(key, tokens);
    if (!isHit) used += tokens;
    for (const [oldest, size] of cached) {
      if (used <= cacheTokens || oldest === key) break;
      cached.delete(oldest);
      used -= size;
    }
    return isHit;
  };
  for (const group of order) {
    if (touch(group, load.prefixTokens)) saved += load.prefixTokens;
    touch(suffix--, load.ownTokens);
  }
  return saved / totalOf(load);
}

function shuffled(load: Load, random: Random): number[] {
  const order = Array.from({ length: load.groups * load.share }, (_, i) => i % load.groups);
  for (let i = order.length - 1; i > 0; i--) {
    const j = random.integer(0, i);
    [order[i], order[j]] = [order[j] as number, order[i] as number];
  }
  return order;
}

const SHORT: Load = { groups: 400, share: 16, prefixTokens: 2000, ownTokens: 200 };
const LONG: Load = { ...SHORT, prefixTokens: 16_000 };
const CACHES = [60_000, 120_000, 300_000, 600_000, 900_000];
const EARLIER = 'an earlier simulation of ours';

/** Prompts that share on two levels: a long instruction for all, and documents under it. */
function twoLevels(random: Random): PrefixNode {
  const leaf = { tokens: 200, children: [] };
  const documents = Array.from({ length: 40 }, () => ({
    tokens: random.integer(500, 4000),
    children: Array.from({ length: random.integer(2, 24) }, () => leaf),
  }));
  return { tokens: 0, children: [{ tokens: 300, children: documents }] };
}

function* run(seed: number): Generator<CheckProgress, CheckResult> {
  const random = createRandom(seed);
  const saving = new Map<string, number>();
  const cells = [SHORT, LONG].flatMap((load) => CACHES.map((tokens) => ({ load, tokens })));
  for (const [i, { load, tokens }] of cells.entries()) {
    yield { fraction: i / cells.length, phase: `a cache of ${tokens} tokens` };
    const order = shuffled(load, random);
    saving.set(`${load.prefixTokens} ${tokens}`, lruSaving(order, load, tokens));
  }
  const grouped = (load: Load): number => {
    const order = Array.from({ length: load.groups * load.share }, (_, i) =>
      Math.floor(i / load.share),
    );
    return lruSaving(order, load, 2 * (load.prefixTokens + load.ownTokens));
  };
  const trie = twoLevels(random);
  const at = (load: Load, tokens: number) => saving.get(`${load.prefixTokens} ${tokens}`) as number;
  const near = (value: number) => ({ low: value - 0.02, high: value + 0.02 });
  return {
    figures: [
      {
        label: 'tokens saved, groups together, prefix 2,000 shared by 16',
        value: grouped(SHORT),
        unit: '',
        expected: { low: 0.8515, high: 0.8525 },
        source: 'claim of the paper (85.2 %)',
      },
      {
        label: 'tokens saved, groups together, prefix 16,000 shared by 16',
        value: grouped(LONG),
        unit: '',
        expected: { low: 0.9255, high: 0.9265 },
        source: 'claim of the paper (92.6 %)',
      },
      ...(
        [
          [SHORT, 120_000, 0.11],
          [SHORT, 300_000, 0.27],
          [SHORT, 600_000, 0.6],
          [LONG, 600_000, 0.04],
        ] as const
      ).map(([load, tokens, expected]) => ({
        label: `tokens saved, any order, least recently used, prefix ${load.prefixTokens}, cache of ${tokens} tokens`,
        value: at(load, tokens),
        unit: '',
        expected: near(expected),
        source: EARLIER,
      })),
      {
        label:
          'two levels of sharing: saved by the prefix chosen for each group, against the first level alone',
        value: oneLevelSaving(trie) / topLevelSaving(trie),
        unit: 'x',
        expected: { low: 1 },
        source: 'the rule itself: the first level is one of the choices',
      },
    ],
    series: [
      {
        title: 'Prompt tokens that need not be computed',
        xLabel: 'KV cache (thousand tokens)',
        yLabel: 'share of prompt tokens saved',
        lines: [
          ...[SHORT, LONG].map((load) => ({
            name: `any order, prefix ${load.prefixTokens}`,
            x: CACHES.map((tokens) => tokens / 1000),
            y: CACHES.map((tokens) => at(load, tokens)),
          })),
          ...[SHORT, LONG].map((load) => ({
            name: `grouped, prefix ${load.prefixTokens}`,
            x: CACHES.map((tokens) => tokens / 1000),
            y: CACHES.map(() => grouped(load)),
          })),
        ],
      },
    ],
    notes: [
      `${SHORT.groups} groups of ${SHORT.share} requests, ${SHORT.ownTokens} tokens of their own each; a prefix is found whole or not at all, and requests come one after another, so none holds its blocks while others look: with blocks and overlap the figures in any order move by a few points.`,
      'Not here: the order of the groups by decode over prefill tokens, batching by memory, and the fused kernel, which act on throughput and not on what is computed.',
    ],
  };
}

/** BatchLLM (2024): sharing prefixes over a whole batch that is known beforehand. */
export const batchllm: RowCheck = {
  id: 'batchllm',
  title: 'BatchLLM',
  asks: 'How much of the prompts of an offline batch need never be computed?',
  rule: 'All prompts are known, so one trie is built over them and reduced to one level of sharing: from the leaves up, a group either shares everything that leads to it, or is split where its parts save more. Requests of a group run together, and the KV of its prefix is freed after the last of them. Groups with many output tokens per prompt token go first, and requests enter as long as their KV fits, with no limit on their number.',
  evidence: 'third-party',
  run,
};
