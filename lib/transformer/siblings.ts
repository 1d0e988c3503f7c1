import { makeRope } from '../attention/position/rope-frequencies';
import { mapFeatures } from '../attention/recurrent/feature-map';
import { normaliseRows } from '../attention/recurrent/inputs';
import { recurrentReference } from '../attention/recurrent/reference';
import { convolveInputs } from '../attention/recurrent/short-convolution';
import type { RecurrentInputs, RecurrentShape, StateRule } from '../attention/recurrent/types';
import { attendRow } from './attend';
import { linear, rmsNorm, rotateInto } from './reference';

/** How a layer of a sibling mixes tokens. */
export const SIBLING_MIXERS = ['softmax', 'window', 'linear', 'gated-delta'] as const;
export type SiblingMixer = (typeof SIBLING_MIXERS)[number];

/** The small models of the recall-gap lesson: alike but for their token mixers. */
export interface SiblingConfig {
  readonly mixers: readonly SiblingMixer[];
  readonly vocabularySize: number;
  readonly hiddenSize: number;
  readonly intermediateSize: number;
  readonly heads: number;
  readonly headSize: number;
  readonly normEpsilon: number;
  readonly ropeTheta: number;
  readonly convolutionTaps: number;
  /** Tokens that a window layer sees, the token itself included. */
  readonly windowTokens: number;
}

const FIELDS = {
  vocabularySize: 'vocab_size',
  hiddenSize: 'hidden_size',
  intermediateSize: 'intermediate_size',
  heads: 'num_heads',
  headSize: 'head_dim',
  normEpsilon: 'rms_norm_eps',
  ropeTheta: 'rope_theta',
  convolutionTaps: 'convolution_taps',
  windowTokens: 'window',
} as const;

/** @throws Error naming the first wrong field with its value */
export function readSiblingConfig(json: unknown): SiblingConfig {
  const fields = (json ?? {}) as Record<string, unknown>;
  const numbers = Object.entries(FIELDS).map(([name, field]) => {
    const value = fields[field];
    if (!(typeof value === 'number' && value > 0 && value < Infinity)) {
      throw new Error(`invalid ${field}: ${JSON.stringify(value)} (expected a positive number)`);
    }
    return [name, value];
  });
  const { mixers } = fields;
  const known = (mixer: unknown) => SIBLING_MIXERS.some((one) => one === mixer);
  if (!(Array.isArray(mixers) && mixers.length > 0 && mixers.every(known))) {
    throw new Error(
      `invalid mixers: ${JSON.stringify(mixers)} (expected a list of ${SIBLING_MIXERS.join(', ')})`,
    );
  }
  return { ...Object.fromEntries(numbers), mixers } as unknown as SiblingConfig;
}

/** Tensors by the name they have in the file. */
export type SiblingTensors = ReadonlyMap<string, Float32Array>;

/**
 * Logits after every token, [tokens, vocabularySize], in plain TypeScript.
 *
 * @throws Error naming a tensor that is missing
 */
export function siblingLogits(
  config: SiblingConfig,
  tensors: SiblingTensors,
  tokens: readonly number[],
): Float32Array {
  const { hiddenSize, normEpsilon } = config;
  const tensor = (name: string): Float32Array => {
    const found = tensors.get(name);
    if (found === undefined) throw new Error(`missing tensor: ${JSON.stringify(name)}`);
    return found;
  };
  const embedding = tensor('embed_tokens.weight');
  const x = new Float32Array(tokens.length * hiddenSize);
  tokens.forEach((token, t) => {
    x.set(embedding.subarray(token * hiddenSize, (token + 1) * hiddenSize), t * hiddenSize);
  });
  config.mixers.forEach((mixer, index) => {
    const layer = (name: string) => tensor(`layers.${index}.${name}.weight`);
    const bias = (name: string) => tensor(`layers.${index}.${name}.bias`);
    const normed = rmsNorm(x, layer('input_layernorm'), normEpsilon);
    const mixed =
      mixer === 'softmax' || mixer === 'window'
        ? attention(config, layer, normed, mixer === 'window' ? config.windowTokens : Infinity)
        : recurrence(config, mixer, layer, bias, normed);
    add(x, linear(mixed, tokens.length, layer('mixer.o_proj'), hiddenSize));
    const inner = rmsNorm(x, layer('post_attention_layernorm'), normEpsilon);
    const gate = linear(inner, tokens.length, layer('mlp.gate_proj'), hiddenSize);
    const up = linear(inner, tokens.length, layer('mlp.up_proj'), hiddenSize);
    for (let i = 0; i < gate.length; i++) gate[i] = (gate[i]! / (1 + Math.exp(-gate[i]!))) * up[i]!;
    add(x, linear(gate, tokens.length, layer('mlp.down_proj'), config.intermediateSize));
  });
  return linear(
    rmsNorm(x, tensor('norm.weight'), normEpsilon),
    tokens.length,
    embedding,
    hiddenSize,
  );
}

type Named = (name: string) => Float32Array;

function add(x: Float32Array, y: Float32Array): void {
  for (let i = 0; i < x.length; i++) x[i] = x[i]! + y[i]!;
}

function attention(config: SiblingConfig, layer: Named, x: Float32Array, window: number) {
  const { heads, headSize, hiddenSize } = config;
  const tokens = x.length / hiddenSize;
  const rope = makeRope({ headSize, base: config.ropeTheta, pairing: 'half-split' });
  const [queries, keys, values] = (['q', 'k', 'v'] as const).map((name) =>
    linear(x, tokens, layer(`mixer.${name}_proj`), hiddenSize),
  ) as [Float32Array, Float32Array, Float32Array];
  const out = new Float32Array(x.length);
  const query = new Float32Array(headSize);
  for (let head = 0; head < heads; head++) {
    const rotated = new Float32Array(tokens * headSize);
    const own = new Float32Array(tokens * headSize);
    const positions = Int32Array.from({ length: tokens }, (_, t) => t);
    for (let t = 0; t < tokens; t++) {
      const at = t * hiddenSize + head * headSize;
      rotateInto(keys, at, t, rope, rotated, t * headSize);
      own.set(values.subarray(at, at + headSize), t * headSize);
    }
    for (let t = 0; t < tokens; t++) {
      const first = Math.max(0, t + 1 - window);
      rotateInto(queries, t * hiddenSize + head * headSize, t, rope, query, 0);
      const part = {
        count: t + 1 - first,
        keys: rotated.subarray(first * headSize),
        values: own.subarray(first * headSize),
        positions: positions.subarray(first),
      };
      const { output } = attendRow(query, 1, headSize, t, [part], false);
      out.set(output, t * hiddenSize + head * headSize);
    }
  }
  return out;
}

const RULES: Record<'linear' | 'gated-delta', StateRule> = {
  linear: { type: 'additive', normalise: true },
  'gated-delta': { type: 'gated-delta' },
};

function recurrence(
  config: SiblingConfig,
  mixer: 'linear' | 'gated-delta',
  layer: Named,
  bias: Named,
  x: Float32Array,
): Float32Array {
  const { heads, headSize, hiddenSize } = config;
  const tokens = x.length / hiddenSize;
  const shape: RecurrentShape = { batch: 1, heads, tokens, keySize: headSize, valueSize: headSize };
  const byHead = (name: string) =>
    headsFirst(linear(x, tokens, layer(`mixer.${name}_proj`), hiddenSize), heads, headSize);
  const perToken = (name: string, map: (value: number) => number) =>
    headsFirst(
      linear(x, tokens, layer(`mixer.${name}`), hiddenSize, bias(`mixer.${name}`)).map(map),
      heads,
      1,
    );
  const isDelta = mixer === 'gated-delta';
  const inputs: RecurrentInputs = convolveInputs(
    {
      shape,
      query: byHead('q'),
      key: byHead('k'),
      value: byHead('v'),
      decay: isDelta ? perToken('decay_proj', (a) => 1 / (1 + Math.exp(a))) : undefined,
      writeStrength: isDelta ? perToken('beta_proj', (b) => 1 / (1 + Math.exp(-b))) : undefined,
      prefixKey: undefined,
      prefixValue: undefined,
    },
    {
      width: config.convolutionTaps,
      activation: 'silu',
      query: layer('mixer.q_conv'),
      key: layer('mixer.k_conv'),
      value: layer('mixer.v_conv'),
    },
  );
  const feature = (rows: Float32Array) =>
    isDelta ? normaliseRows(rows, headSize) : mapFeatures(rows, headSize, 'elu+1');
  const scale = isDelta ? 1 / Math.sqrt(headSize) : 1;
  const { output } = recurrentReference(
    { ...inputs, query: feature(inputs.query).map((q) => q * scale), key: feature(inputs.key) },
    RULES[mixer],
  );
  const normed = rmsNorm(Float32Array.from(output), layer('mixer.out_norm'), config.normEpsilon);
  return tokensFirst(normed, heads, headSize);
}

/** [tokens, heads, size] to [heads, tokens, size]. */
function headsFirst(x: Float32Array, heads: number, size: number): Float32Array<ArrayBuffer> {
  return swapped(x, x.length / (heads * size), heads, size);
}

/** [heads, tokens, size] to [tokens, heads, size]. */
function tokensFirst(x: Float32Array, heads: number, size: number): Float32Array<ArrayBuffer> {
  return swapped(x, heads, x.length / (heads * size), size);
}

/** [first, second, size] to [second, first, size]. */
function swapped(x: Float32Array, first: number, second: number, size: number) {
  const out = new Float32Array(x.length);
  for (let a = 0; a < first; a++) {
    for (let b = 0; b < second; b++) {
      const at = (a * second + b) * size;
      out.set(x.subarray(at, at + size), (b * first + a) * size);
    }
  }
  return out;
}

/** Bytes that a sibling keeps between tokens after `tokens` of them, f32, all layers. */
export function siblingStateBytes(config: SiblingConfig, tokens: number): number {
  const { heads, headSize, hiddenSize, convolutionTaps, windowTokens } = config;
  let elements = 0;
  for (const mixer of config.mixers) {
    if (mixer === 'softmax') elements += 2 * tokens * hiddenSize;
    else if (mixer === 'window') elements += 2 * Math.min(tokens, windowTokens) * hiddenSize;
    else {
      elements += heads * headSize * (headSize + (mixer === 'linear' ? 1 : 0));
      elements += 3 * (convolutionTaps - 1) * hiddenSize;
    }
  }
  return 4 * elements;
}
