import type { IndexRule } from '../../lib/cache/slots/index-rule';
import { createSlotCache } from '../../lib/cache/slots/slot-cache';
import type { SlotCache, SlotStorage } from '../../lib/cache/slots/types';
import { referenceTransformer } from '../../lib/transformer/reference';
import type {
  AttendedRows,
  ForwardHooks,
  ForwardResult,
  ForwardStep,
  ProjectedRows,
  Transformer,
  TransformerConfig,
} from '../../lib/transformer/types';
import { configOf, randomTokens, randomWeights } from './random-model';

/** What happens to a cache between chunks; slots are chosen by rules of slot, layer and head. */
export type HeldAct =
  /** Other slots in every head. */
  | 'evict'
  /** No slot in the first head of every layer, one in the last. */
  | 'starve'
  /** Pairs of slots into one that stands for both. */
  | 'merge'
  | 'snapshot'
  | 'restore'
  /** The last three tokens are forgotten. */
  | 'truncate'
  /** The engine's synchronous `forward`, which runs elsewhere, appends two tokens. */
  | 'elsewhere';

/** Slots that a device may hold, over the caches of policies. */
export interface HeldCase {
  readonly name: string;
  readonly config: TransformerConfig;
  /** Rows of a call, or what is done to the cache between two. */
  readonly script: readonly (number | HeldAct)[];
  readonly storage?: SlotStorage;
  readonly rule?: IndexRule;
  readonly observes?: boolean;
  readonly hooks?: boolean;
  readonly step?: Pick<ForwardStep, 'logits' | 'fromLayer' | 'toLayer'>;
}

const shape = (heads: number, kvHeads: number, headSize: number, layers = 2) =>
  configOf({
    ...{ layers, heads, kvHeads, headSize },
    ...{ hiddenSize: 24, intermediateSize: 40, vocabularySize: 50 },
  });
const f32 = 'f32' as const;

export const HELD_CASES: readonly HeldCase[] = [
  { name: 'our shape, halves', config: configOf(), script: [37, 16, 1, 1, 3] },
  { name: 'our shape, numbers', config: configOf(), script: [37, 1, 1], storage: f32 },
  {
    name: 'odd sizes',
    config: configOf({ layers: 2, hiddenSize: 21, intermediateSize: 37, vocabularySize: 43 }),
    script: [19, 1, 2, 70, 1],
    storage: f32,
  },
  { name: 'heads of 6, groups of 3', config: shape(6, 2, 6), script: [18, 1, 1], storage: f32 },
  { name: 'heads of 10, groups of 5', config: shape(5, 1, 10), script: [7, 1, 20], storage: f32 },
  { name: 'heads of 128', config: shape(2, 1, 128), script: [18, 1], storage: f32 },
  { name: 'heads of 136', config: shape(2, 1, 136), script: [18, 1, 1], storage: f32 },
  {
    name: 'biases, norms of heads, a head of its own, a stretched encoding',
    config: configOf({
      ...{ layers: 2, qkvBias: true, qkNorm: true, tiedHead: false },
      ropeScaling: { type: 'yarn', factor: 4, originalTokens: 32, betaFast: 32, betaSlow: 1 },
    }),
    script: [40, 1, 2],
    storage: f32,
  },
  {
    name: 'decoding after eviction, ragged',
    config: configOf(),
    script: [61, 'evict', 1, 1, 'evict', 1, 20, 1],
  },
  {
    name: 'a head without slots, and one with one',
    config: configOf({ layers: 2 }),
    script: [30, 'starve', 1, 1, 17, 'starve', 20, 1],
  },
  {
    name: 'slots that stand for several tokens',
    config: configOf({ layers: 2 }),
    script: [33, 'merge', 1, 1, 18, 1],
    storage: f32,
  },
  {
    name: 'indices by rank after eviction',
    config: configOf({ layers: 2 }),
    script: [40, 'evict', 1, 1, 'evict', 17, 1],
    rule: { type: 'slot-index' },
  },
  {
    name: 'indices by rank among merged slots',
    config: configOf({ layers: 2 }),
    script: [24, 'merge', 1, 'evict', 1],
    rule: { type: 'slot-index' },
  },
  {
    name: 'indices by a table',
    config: configOf({ layers: 2 }),
    script: [30, 1, 1],
    rule: { type: 'table', indexOf: Int32Array.from({ length: 24 }, (_, i) => i % 8) },
  },
  {
    name: 'distances that are clamped, query by query',
    config: configOf({ layers: 2 }),
    script: [30, 1, 1],
    rule: { type: 'clamped-far', windowTokens: 9 },
  },
  {
    name: 'another branch after a rewind',
    config: configOf({ layers: 2 }),
    script: [26, 'snapshot', 1, 1, 1, 'restore', 1, 2, 'restore', 'elsewhere', 1, 1],
  },
  {
    name: 'rewound over an eviction',
    config: configOf({ layers: 2 }),
    script: [26, 'snapshot', 2, 'evict', 1, 'restore', 1, 'truncate', 'elsewhere', 1],
  },
  {
    name: 'observed weights, ragged',
    config: configOf({ layers: 2 }),
    script: [21, 'evict', 2, 1, 'starve', 1],
    observes: true,
  },
  {
    name: 'observed weights of groups of 3, merged slots',
    config: shape(6, 2, 10),
    script: [17, 'merge', 3, 1],
    ...{ observes: true, storage: f32 },
  },
  {
    name: 'more slots than one split',
    config: shape(4, 2, 8),
    script: [300, 280, 'evict', 1, 1, 2],
    storage: f32,
  },
  {
    name: 'more slots than one split, observed',
    config: shape(4, 2, 8),
    script: [300, 1, 2],
    ...{ observes: true, storage: f32 },
  },
  {
    name: 'hooks that only read, logits of all rows',
    config: configOf({ layers: 2 }),
    script: [70, 'evict', 3, 1],
    ...{ hooks: true, step: { logits: 'all' as const } },
  },
  {
    name: 'layers in part, no logits',
    config: configOf({ layers: 3 }),
    script: [20, 1],
    step: { toLayer: 2, logits: 'none' },
  },
];

function chosen(count: number, keeps: (slot: number) => boolean): Int32Array {
  return Int32Array.from({ length: count }, (_, slot) => slot).filter(keeps);
}

function eachHead(
  { layers, kvHeads }: TransformerConfig,
  act: (layer: number, kvHead: number) => void,
): void {
  for (let layer = 0; layer < layers; layer++) {
    for (let kvHead = 0; kvHead < kvHeads; kvHead++) act(layer, kvHead);
  }
}

function merge(cache: SlotCache, config: TransformerConfig, layer: number, kvHead: number): void {
  const { headSize } = config;
  const head = cache.head(layer, kvHead);
  const pairs = Math.floor(head.count / 2);
  const [keys, values] = [head.keys(), head.values()].map((rows) =>
    Float32Array.from({ length: pairs * headSize }, (_, i) => {
      const at = 2 * Math.floor(i / headSize) * headSize + (i % headSize);
      return (rows[at]! + rows[at + headSize]!) / 2;
    }),
  );
  cache.replace(layer, kvHead, [
    {
      form: 'plain',
      headSize,
      keys: keys!,
      values: values!,
      // The later of the two, so that slots are not at their ranks.
      positions: Int32Array.from({ length: pairs }, (_, i) => head.positions[2 * i + 1]!),
      multiplicity: new Float32Array(pairs).fill(2),
    },
  ]);
}

export interface HeldRun {
  readonly results: readonly ForwardResult[];
  readonly observed: readonly AttendedRows[];
  readonly projected: readonly (ProjectedRows & { readonly layer: number })[];
  /** Keys before RoPE of all heads at the end, one head after another. */
  readonly keys: Float32Array;
  readonly ends: readonly number[];
}

/** Runs a case's script; `forward` as the engine under test, `cpu` for what runs elsewhere. */
export async function runHeldCase(
  one: HeldCase,
  forward: (step: ForwardStep) => ForwardResult | Promise<ForwardResult>,
  cpu: Transformer,
): Promise<HeldRun> {
  const { config, storage, rule } = one;
  const cache = createSlotCache(config, {
    ...(storage ? { storage } : {}),
    ...(rule ? { rule } : {}),
  });
  const observed: AttendedRows[] = [];
  const projected: (ProjectedRows & { readonly layer: number })[] = [];
  const ends: number[] = [];
  if (one.observes) cache.setObserver((attended) => void observed.push(attended));
  const hooks: ForwardHooks = {
    onlyRead: true,
    onProjected: (layer, rows) => void projected.push({ layer, ...rows }),
    onLayerEnd: (layer) => void ends.push(layer),
  };
  const results: ForwardResult[] = [];
  let next = 0;
  let saved: ReturnType<SlotCache['snapshot']> | undefined;
  const stepOf = (rows: number, seed: number): ForwardStep => {
    const tokens = randomTokens(config, rows, seed);
    const positions = tokens.map((_, i) => next + i);
    next += rows;
    return { tokens, positions, cache, ...one.step, ...(one.hooks ? { hooks } : {}) };
  };
  for (const [at, act] of one.script.entries()) {
    if (typeof act === 'number') results.push(await forward(stepOf(act, 10 + at)));
    if (act === 'elsewhere') cpu.forward(stepOf(2, 10 + at));
    if (act === 'snapshot') saved = cache.snapshot();
    if (act === 'restore') {
      cache.restore(saved!);
      next = saved!.tokensSeen;
    }
    if (act === 'truncate') {
      next -= 3;
      cache.truncate(next);
    }
    eachHead(config, (layer, kvHead) => {
      const count = cache.count(layer, kvHead);
      if (act === 'merge') merge(cache, config, layer, kvHead);
      if (act === 'evict') {
        const keeps = (slot: number) => (slot * 7 + layer * 3 + kvHead * 5) % (3 + kvHead) !== 1;
        cache.keep(layer, kvHead, chosen(count, keeps));
      }
      if (act === 'starve') {
        const isLast = kvHead === config.kvHeads - 1;
        cache.keep(
          layer,
          kvHead,
          chosen(count, (slot) => (isLast ? slot === 4 % count : kvHead > 0)),
        );
      }
    });
  }
  const keys: number[] = [];
  eachHead(config, (layer, kvHead) => void keys.push(...cache.head(layer, kvHead).keys()));
  return { results, observed, projected, keys: Float32Array.from(keys), ends };
}

/** The model of a case in the engine that others are compared with. */
export function heldReference({ config }: HeldCase): Transformer {
  return referenceTransformer(config, randomWeights(config, 3));
}

const difference = (a: Float32Array, b: Float32Array): number => {
  if (a.length !== b.length) throw new Error(`lengths differ: ${a.length} and ${b.length}`);
  return a.reduce((most, value, i) => {
    const own = Math.abs(value - b[i]!);
    return own <= most ? most : own;
  }, 0);
};

/** @throws Error where two runs differ in anything that is no rounded number */
export function compareHeldRuns(a: HeldRun, b: HeldRun) {
  const about = ({ results, observed, projected, ends }: HeldRun) => ({
    rows: results.map(({ rows }) => [...rows]),
    observed: observed.map(({ layer, kvHead, part, rows, count, positions }) => [
      ...[layer, kvHead, part, rows, count],
      ...positions,
    ]),
    projected: projected.map(({ layer, rows, positions, tokens }) => [
      ...[layer, rows],
      ...positions,
      ...tokens,
    ]),
    ends,
  });
  const [first, second] = [JSON.stringify(about(a)), JSON.stringify(about(b))];
  if (first !== second) throw new Error(`runs differ: ${first} and ${second}`);
  const most = (list: (run: HeldRun) => readonly Float32Array[]) =>
    Math.max(0, ...list(a).map((values, i) => difference(values, list(b)[i]!)));
  return {
    logits: most(({ results }) => results.map(({ logits }) => logits)),
    hidden: most(({ results }) => results.map(({ hidden }) => hidden)),
    weights: most(({ observed }) => observed.map(({ weights }) => weights)),
    queries: most(({ projected }) => projected.map(({ queries }) => queries)),
    keys: difference(a.keys, b.keys),
  };
}
