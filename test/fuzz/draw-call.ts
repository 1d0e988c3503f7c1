import type { Granularity, QuantisationScheme } from '../../lib/attention/quantise/types';
import { createRandom, type Random } from '../../lib/random/random';
import type { PlainMask, PlainShape } from './plain-attention';

/** One drawn call; plain data, so that a failure can be printed and run again. */
export interface DrawnCall {
  readonly seed: number;
  readonly shape: PlainShape;
  readonly mask: PlainMask;
  /** Standard deviation of the logits, about. */
  readonly logits: number;
  readonly valueScale: number;
  /** 0 leaves the number of splits to the plan. */
  readonly splits: number;
  /** Small ones make many submits. */
  readonly gigaflopsPerSecond: number;
}

/** Products of queries, keys and dims that a reference in this file's tests may cost. */
const MOST_PRODUCTS = 1.5e7;

const pick = <T>(random: Random, values: readonly T[]): T =>
  values[random.integer(0, values.length - 1)]!;

/** Small and large alike. */
const logUniform = (random: Random, low: number, high: number) =>
  Math.round(low * (high / low) ** random.uniform());

/** Sizes at the edges of blocks, and any others. */
function tokens(random: Random, most: number): number {
  if (random.uniform() < 0.3) return random.integer(1, Math.min(most, 200));
  const edge = pick(random, [1, 16, 32, 64, 128, 256, 512, 1024]);
  if (random.uniform() < 0.3) {
    return Math.min(most, Math.max(1, edge * random.integer(1, 3) + random.integer(-1, 1)));
  }
  return logUniform(random, 1, most);
}

function heads(random: Random): Pick<PlainShape, 'queryHeads' | 'kvHeads'> {
  const group = pick(random, [1, 1, 2, 3, 4, 5, 6, 7, 8, 11, 16, 32]);
  const kvHeads = random.integer(1, Math.max(1, Math.min(4, Math.floor(64 / group))));
  return { queryHeads: group * kvHeads, kvHeads };
}

function mask(random: Random, keys: number): PlainMask {
  const windowTokens = logUniform(random, 1, keys + 8);
  switch (random.integer(0, 3)) {
    case 0:
      return { type: 'dense' };
    case 1:
      return { type: 'causal' };
    case 2:
      return { type: 'sliding-window', windowTokens };
    default:
      return { type: 'window-sinks', windowTokens, sinkTokens: random.integer(1, 64) };
  }
}

/**
 * A call of attention by its seed: GQA 1..32, head sizes that are multiples of `multiple` up to
 * `mostHeadSize`, lengths around block edges and far from them, logits from 1 to 100,000.
 */
export function drawCall(
  seed: number,
  family: 'prefill' | 'decode',
  { multiple = 4, mostHeadSize = 256 } = {},
): DrawnCall {
  const random = createRandom(seed);
  const headSize = multiple * logUniform(random, 1, mostHeadSize / multiple);
  const isDecode = family === 'decode';
  const queries = isDecode ? random.integer(1, 8) : 8 + tokens(random, 300);
  const isLong = isDecode && random.uniform() < 0.08;
  let keys = isLong ? random.integer(30_000, 65_536) : tokens(random, isDecode ? 6000 : 600);
  let { queryHeads, kvHeads } = heads(random);
  let batch = random.integer(1, 3);
  const products = () => batch * queryHeads * queries * keys * headSize;
  if (products() > MOST_PRODUCTS) batch = 1;
  if (products() > MOST_PRODUCTS) {
    queryHeads /= kvHeads;
    kvHeads = 1;
  }
  if (products() > MOST_PRODUCTS && isLong) queryHeads = 1;
  while (products() > MOST_PRODUCTS && keys > 40) keys = Math.ceil(keys / 2);
  return {
    seed,
    shape: { batch, queryHeads, kvHeads, queries, keys, headSize },
    mask: mask(random, keys),
    logits: pick(random, [1, 1, 1, 10, 100, 1e5]),
    valueScale: pick(random, [1, 1, 1, 1e-4, 1e4]),
    splits: random.uniform() < 0.6 ? 0 : random.integer(1, 64),
    gigaflopsPerSecond: pick(random, [1, 1, 1e-3]),
  };
}

/** Queries, keys and values of a call. */
export function drawTensors({ seed, shape, logits, valueScale }: DrawnCall) {
  const random = createRandom(seed).fork('tensors');
  const { batch, queryHeads, kvHeads, queries, keys, headSize } = shape;
  const normals = (length: number, scale: number) =>
    Float32Array.from({ length }, () => scale * random.normal());
  const cache = batch * kvHeads * keys * headSize;
  return {
    query: normals(batch * queryHeads * queries * headSize, logits),
    key: normals(cache, 1),
    value: normals(cache, valueScale),
  };
}

/** Bits, mode, granularity and scales of packed keys or values of a head size. */
export function drawScheme(seed: number, { headSize, keys }: PlainShape): QuantisationScheme {
  const random = createRandom(seed).fork('scheme');
  const bits = pick(random, headSize % 16 === 0 ? ([2, 4, 8] as const) : ([4, 8] as const));
  const channels = [4, 8, 12, 16, 32, 64, 128].filter((each) => headSize % each === 0);
  const groupTokens = random.uniform() < 0.5 ? 32 * random.integer(1, 4) : tokens(random, keys + 9);
  const granularity: Granularity = pick<Granularity>(random, [
    { type: 'token' },
    { type: 'channel', groupTokens },
    { type: 'grouped', groupChannels: pick(random, channels) },
    { type: 'rope-pair', groupTokens },
  ]);
  return {
    bits,
    mode: pick(random, ['symmetric', 'asymmetric'] as const),
    granularity,
    scaleType: pick(random, ['f16', 'f32'] as const),
  };
}

/** Tokens of every sequence of a paged call; one of them has all. */
export function drawLengths(seed: number, { batch, keys }: PlainShape): number[] {
  const random = createRandom(seed).fork('lengths');
  const lengths = Array.from({ length: batch }, () => Math.min(keys, tokens(random, keys)));
  lengths[random.integer(0, batch - 1)] = keys;
  return lengths;
}
