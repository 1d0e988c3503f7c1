import { selectAShape } from '../../../lib/attention/select/a-shape';
import { selectBlockSparse } from '../../../lib/attention/select/block-sparse';
import { selectFlexPrefill } from '../../../lib/attention/select/flexprefill';
import { selectHip } from '../../../lib/attention/select/hip';
import { selectMoba } from '../../../lib/attention/select/moba';
import { selectNsa } from '../../../lib/attention/select/nsa';
import { selectOracle } from '../../../lib/attention/select/oracle';
import { selectPbs } from '../../../lib/attention/select/pbs';
import { selectLserve, selectQuest } from '../../../lib/attention/select/quest';
import { selectSale } from '../../../lib/attention/select/sale';
import type { HeadTensors, Selection } from '../../../lib/attention/select/types';
import { selectLineCover, selectVerticalSlash } from '../../../lib/attention/select/vertical-slash';
import { selectXAttention } from '../../../lib/attention/select/xattention';
import { createRandom } from '../../../lib/random/random';

export interface HeadSpec {
  readonly queries: number;
  readonly keys: number;
  readonly causal?: boolean;
  readonly headSize?: number;
  readonly seed?: number;
  /** Spread of the entries: larger makes the attention peakier. */
  readonly spread?: number;
}

export function randomHead(spec: HeadSpec): HeadTensors {
  const { queries, keys, causal = true, headSize = 8, seed = 1, spread = 1 } = spec;
  const random = createRandom(seed);
  const normals = (tokens: number, factor: number) =>
    Float32Array.from({ length: tokens * headSize }, () => factor * random.normal());
  return {
    queries,
    keys,
    causal,
    headSize,
    query: normals(queries, spread),
    key: normals(keys, spread),
    value: normals(keys, 1),
  };
}

/** Probabilities [queries][keys] by the definition; a query that sees nothing has zeros. */
export function denseProbabilities(head: HeadTensors): number[][] {
  const { queries, keys, headSize } = head;
  return Array.from({ length: queries }, (_, q) => {
    const position = keys - queries + q;
    const weights = Array.from({ length: keys }, (_, k) => {
      if (head.causal && k > position) return 0;
      let score = 0;
      for (let d = 0; d < headSize; d++)
        score += (head.query[q * headSize + d] as number) * (head.key[k * headSize + d] as number);
      return Math.exp(score / Math.sqrt(headSize));
    });
    const sum = weights.reduce((a, b) => a + b, 0);
    return weights.map((weight) => (sum === 0 ? 0 : weight / sum));
  });
}

export const rowOf = (selection: Selection, i: number) => [
  ...selection.blocks.subarray(selection.offsets[i], selection.offsets[i + 1]),
];

/** Every preset at blocks of 8 or so, with a small budget. */
export const SMALL: Readonly<Record<string, (head: HeadTensors) => Selection>> = {
  'a-shape': (h) =>
    selectAShape(h, { blockQueries: 8, blockKeys: 8, sinkTokens: 3, windowTokens: 11 }),
  'vertical-slash': (h) =>
    selectVerticalSlash(h, {
      blockQueries: 8,
      blockKeys: 4,
      columns: 6,
      diagonals: 7,
      windowQueries: 8,
      forcedColumns: 2,
      forcedDiagonals: 3,
    }),
  'line cover': (h) =>
    selectLineCover(h, {
      blockQueries: 4,
      blockKeys: 8,
      share: 0.6,
      windowQueries: 8,
      forcedColumns: 1,
      forcedDiagonals: 2,
    }),
  'block-sparse': (h) => selectBlockSparse(h, { blockQueries: 8, blockKeys: 8, topBlocks: 2 }),
  'flexprefill lines': (h) =>
    selectFlexPrefill(h, {
      blockTokens: 8,
      gamma: 0.5,
      tau: 0,
      minBudgetTokens: 0,
      lineUnit: 'token',
    }),
  'flexprefill block lines': (h) =>
    selectFlexPrefill(h, {
      blockTokens: 8,
      gamma: 0.5,
      tau: 0,
      minBudgetTokens: 0,
      lineUnit: 'block',
    }),
  'flexprefill query-aware': (h) =>
    selectFlexPrefill(h, {
      blockTokens: 8,
      gamma: 0.5,
      tau: 2,
      minBudgetTokens: 0,
      lineUnit: 'block',
    }),
  sale: (h) =>
    selectSale(h, {
      blockQueries: 8,
      blockKeys: 4,
      sinkTokens: 2,
      windowTokens: 8,
      threshold: 0.2,
    }),
  pbs: (h) => selectPbs(h, { blockTokens: 4, segmentTokens: 16, share: 0.9 }),
  hip: (h) =>
    selectHip(h, {
      blockQueries: 8,
      blockKeys: 2,
      keptTokens: 8,
      windowTokens: 4,
      sinkTokens: 2,
      representative: 'centre',
      queryReduce: 'max',
    }),
  'hip mean': (h) =>
    selectHip(h, {
      blockQueries: 8,
      blockKeys: 2,
      keptTokens: 8,
      windowTokens: 0,
      sinkTokens: 0,
      representative: 'first',
      queryReduce: 'mean',
    }),
  quest: (h) =>
    selectQuest(h, {
      blockQueries: 1,
      pageTokens: 4,
      budgetTokens: 20,
      sinkTokens: 1,
      recentTokens: 4,
    }),
  lserve: (h) =>
    selectLserve(h, {
      blockQueries: 4,
      pageTokens: 8,
      subPageTokens: 2,
      budgetTokens: 16,
      sinkTokens: 0,
      recentTokens: 0,
    }),
  xattention: (h) => selectXAttention(h, { blockTokens: 8, stride: 4, share: 0.5 }),
  moba: (h) => selectMoba(h, { blockTokens: 8, topBlocks: 2, blockQueries: 1 }),
  nsa: (h) =>
    selectNsa(h, {
      compressTokens: 4,
      compressStride: 2,
      blockTokens: 8,
      topBlocks: 3,
      initialTokens: 1,
      localTokens: 1,
      windowTokens: 5,
      blockQueries: 2,
    }),
  'oracle top-k': (h) =>
    selectOracle(h, { blockQueries: 8, blockKeys: 8, budget: { type: 'top-k', blocks: 2 } }),
  'oracle top-p': (h) =>
    selectOracle(h, { blockQueries: 8, blockKeys: 8, budget: { type: 'top-p', share: 0.5 } }),
};

export const ALL = 1 << 20;
/** The same with a budget of everything: a large k, a share of 1 or a threshold near 0. */
export const FULL: typeof SMALL = {
  'a-shape': (h) =>
    selectAShape(h, { blockQueries: 8, blockKeys: 8, sinkTokens: ALL, windowTokens: 0 }),
  window: (h) =>
    selectAShape(h, { blockQueries: 8, blockKeys: 8, sinkTokens: 0, windowTokens: ALL }),
  'vertical-slash': (h) =>
    selectVerticalSlash(h, { blockQueries: 8, blockKeys: 4, columns: ALL, diagonals: 0 }),
  'line cover at 1': (h) =>
    selectLineCover(h, {
      blockQueries: 4,
      blockKeys: 8,
      share: 1,
      windowQueries: 8,
      forcedColumns: 0,
      forcedDiagonals: 0,
    }),
  'block-sparse': (h) => selectBlockSparse(h, { blockQueries: 8, blockKeys: 8, topBlocks: ALL }),
  ...Object.fromEntries(
    (['token', 'block'] as const).flatMap((lineUnit) =>
      [0, 2].map((tau) => [
        `flexprefill at 1, ${lineUnit}, tau ${tau}`,
        (h: HeadTensors) =>
          selectFlexPrefill(h, { blockTokens: 8, gamma: 1, tau, minBudgetTokens: 0, lineUnit }),
      ]),
    ),
  ),
  sale: (h) =>
    selectSale(h, {
      blockQueries: 8,
      blockKeys: 4,
      sinkTokens: 1,
      windowTokens: 1,
      threshold: 1e-300,
    }),
  'pbs at 1': (h) => selectPbs(h, { blockTokens: 4, segmentTokens: 16, share: 1 }),
  hip: (h) =>
    selectHip(h, {
      blockQueries: 8,
      blockKeys: 2,
      keptTokens: ALL,
      windowTokens: 0,
      sinkTokens: 0,
      representative: 'centre',
      queryReduce: 'mean',
    }),
  quest: (h) =>
    selectQuest(h, {
      blockQueries: 8,
      pageTokens: 4,
      budgetTokens: ALL,
      sinkTokens: 0,
      recentTokens: 0,
    }),
  lserve: (h) =>
    selectLserve(h, {
      blockQueries: 1,
      pageTokens: 8,
      subPageTokens: 4,
      budgetTokens: ALL,
      sinkTokens: 0,
      recentTokens: 0,
    }),
  'xattention at 1': (h) => selectXAttention(h, { blockTokens: 8, stride: 4, share: 1 }),
  moba: (h) => selectMoba(h, { blockTokens: 8, topBlocks: ALL, blockQueries: 4 }),
  nsa: (h) =>
    selectNsa(h, {
      compressTokens: 4,
      compressStride: 4,
      blockTokens: 8,
      topBlocks: ALL,
      initialTokens: 0,
      localTokens: 0,
      windowTokens: 0,
      blockQueries: 8,
    }),
  'oracle top-k': (h) =>
    selectOracle(h, { blockQueries: 8, blockKeys: 8, budget: { type: 'top-k', blocks: ALL } }),
  'oracle top-p at 1': (h) =>
    selectOracle(h, { blockQueries: 8, blockKeys: 8, budget: { type: 'top-p', share: 1 } }),
};

export const isCausalOnly = (name: string) => name.startsWith('pbs');
/** Diagonals never reach keys after the query, so a window alone cannot be dense without causality. */
export const isDenseWithoutCausality = (name: string) => !isCausalOnly(name) && name !== 'window';

export const SHAPES = [
  { queries: 64, keys: 64 },
  { queries: 1, keys: 65 },
  { queries: 63, keys: 63 },
  { queries: 65, keys: 65 },
  { queries: 7, keys: 61 },
  { queries: 33, keys: 90 },
  { queries: 20, keys: 13 },
  { queries: 1, keys: 1 },
];

/** 128 positions: a diagonal at distance 37 and, for the queries that `wants` names, column 21. */
export function plantedLines(wants: (query: number) => boolean): HeadTensors {
  const keys = 128;
  const headSize = 132;
  const head = randomHead({ queries: keys, keys, headSize, spread: 0.01 });
  for (let p = 0; p < keys; p++) {
    head.key[p * headSize + p] = 10;
    if (p >= 37) head.query[p * headSize + (p - 37)] = 8;
    if (wants(p)) head.query[p * headSize + 128] = 8;
  }
  head.key[21 * headSize + 128] = 10;
  return head;
}

export const NO_FORCED = { windowQueries: 16, forcedColumns: 0, forcedDiagonals: 0 };
