import type { ForwardStep, TransformerConfig } from '../../lib/transformer/types';
import { configOf } from './random-model';
import type { TestCacheOptions } from './test-cache';

/** What every engine computes like the reference. */
export interface TransformerCase {
  readonly name: string;
  readonly config: TransformerConfig;
  /** Rows of each call, one after another; a 1 is a step of decoding. */
  readonly chunks: readonly number[];
  readonly cache?: TestCacheOptions;
  readonly step?: Pick<ForwardStep, 'hooks' | 'fromLayer' | 'toLayer' | 'logits'>;
  /** Rows come with a residual stream of their own instead of embeddings. */
  readonly givesHidden?: boolean;
}

const small = (overrides: Partial<TransformerConfig> = {}): TransformerConfig =>
  configOf({
    layers: 2,
    hiddenSize: 24,
    intermediateSize: 40,
    heads: 2,
    kvHeads: 1,
    headSize: 12,
    vocabularySize: 50,
    ...overrides,
  });

const heads = (count: number, kvHeads: number, headSize: number) =>
  small({ heads: count, kvHeads, headSize });

const everySecond = (rows: number) =>
  Int32Array.from({ length: Math.ceil(rows / 2) }, (_, i) => 2 * i);

export const TRANSFORMER_CASES: readonly TransformerCase[] = [
  { name: 'our shape, chunks and decoding', config: configOf(), chunks: [37, 16, 1, 1, 3] },
  {
    name: 'odd sizes',
    config: small({ hiddenSize: 21, intermediateSize: 37, vocabularySize: 43 }),
    chunks: [19, 1, 2],
  },
  { name: 'one token', config: small(), chunks: [1, 1, 1] },
  { name: 'groups of 1', config: heads(3, 3, 8), chunks: [9, 1, 1] },
  { name: 'groups of 3', config: heads(6, 2, 10), chunks: [7, 1, 1] },
  { name: 'groups of 5', config: heads(5, 1, 8), chunks: [11, 1] },
  { name: 'groups of 8', config: heads(8, 1, 16), chunks: [21, 1] },
  { name: 'heads of 4', config: heads(4, 2, 4), chunks: [33, 1, 1] },
  { name: 'heads of 6', config: heads(4, 2, 6), chunks: [18, 1, 1] },
  { name: 'heads of 64', config: heads(2, 2, 64), chunks: [18, 1] },
  { name: 'heads of 128', config: heads(2, 1, 128), chunks: [18, 1] },
  {
    name: 'biases, norms of heads, a head of its own',
    config: small({ qkvBias: true, qkNorm: true, tiedHead: false }),
    chunks: [13, 1, 1],
  },
  {
    name: 'norms of heads of an odd width',
    config: small({ heads: 3, kvHeads: 3, headSize: 6, qkNorm: true }),
    chunks: [6, 1],
  },
  {
    name: 'a stretched rotary encoding',
    config: small({
      ropeScaling: { type: 'yarn', factor: 4, originalTokens: 32, betaFast: 32, betaSlow: 1 },
    }),
    chunks: [40, 1],
  },
  { name: 'ragged heads', config: configOf(), chunks: [30, 1, 1], cache: { ragged: true } },
  {
    name: 'slots in another order',
    config: configOf({ layers: 2 }),
    chunks: [41, 5, 1],
    cache: { shuffled: true, ragged: true },
  },
  {
    name: 'slots that stand for several tokens',
    config: small(),
    chunks: [23, 1, 1],
    cache: { multiplicity: true, ragged: true },
  },
  {
    name: 'many rows over ragged heads, a temperature',
    config: small({ heads: 4, kvHeads: 2 }),
    chunks: [150, 70, 1],
    cache: { ragged: true, shuffled: true, multiplicity: true, temperature: 0.6 },
  },
  {
    name: 'several parts with temperatures and scales',
    config: small({ heads: 4, kvHeads: 2 }),
    chunks: [20, 6, 1, 1],
    cache: { parts: 4, multiplicity: true },
  },
  {
    name: 'queries at other indices',
    config: configOf({ layers: 2 }),
    chunks: [12, 1, 1],
    cache: { indexShift: -3.5 },
  },
  {
    name: 'slots per query',
    config: small({ heads: 4, kvHeads: 2 }),
    chunks: [15, 1, 4],
    cache: { perQuery: true, multiplicity: true },
  },
  {
    name: 'slots per query, in parts, observed',
    config: small({ heads: 4, kvHeads: 2 }),
    chunks: [7, 1],
    cache: { perQuery: true, parts: 3, observes: true },
  },
  {
    name: 'observed weights',
    config: configOf({ layers: 2 }),
    chunks: [21, 2, 1],
    cache: { observes: true, ragged: true, shuffled: true },
  },
  {
    name: 'observed weights of several parts',
    config: small({ heads: 6, kvHeads: 2 }),
    chunks: [17, 3, 1],
    cache: { observes: true, parts: 3 },
  },
  {
    name: 'pruned rows',
    config: configOf(),
    chunks: [33, 8],
    step: {
      logits: 'all',
      hooks: { onLayerEnd: (layer, _hidden, rows) => (layer < 2 ? everySecond(rows) : undefined) },
    },
  },
  {
    name: 'all rows pruned',
    config: small(),
    chunks: [5],
    step: { logits: 'all', hooks: { onLayerEnd: () => new Int32Array(0) } },
  },
  {
    name: 'hooks that write',
    config: small(),
    chunks: [9, 1],
    step: {
      hooks: {
        onProjected: (_layer, { queries }) => queries.fill(0.25, 0, 12),
        onLayerEnd: (_layer, hidden) => {
          hidden[3] = 2;
          return undefined;
        },
      },
    },
  },
  {
    name: 'from a layer on, given its input',
    config: configOf({ layers: 3 }),
    chunks: [10, 1],
    step: { fromLayer: 1 },
    givesHidden: true,
  },
  {
    name: 'up to a layer',
    config: configOf({ layers: 3 }),
    chunks: [10, 1],
    step: { toLayer: 2, logits: 'none' },
  },
  {
    name: 'all logits of more rows than are computed at once',
    config: small(),
    chunks: [133],
    step: { logits: 'all' },
  },
];
