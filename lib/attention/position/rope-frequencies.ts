/** Which channels turn together: (i, i + headSize / 2), or (2i, 2i + 1). */
export type RopePairing = 'half-split' | 'interleaved';

/**
 * How a model's rotary angles are stretched to contexts longer than it was trained on. `factor` is
 * the stretch, `originalTokens` the trained length; 1 leaves RoPE as it is.
 *
 * - linear: positions / factor (Chen et al. 2023, position interpolation)
 * - ntk: base x factor^(d / (d - 2)), so that the slowest pair is interpolated and the fastest kept
 * - dynamic-ntk: the same with factor n / original - (factor - 1), n the present context
 * - yarn: fast pairs kept, slow ones interpolated, a ramp over the pairs between `betaFast` and
 *   `betaSlow` turns in the trained length; q and k are both scaled by `attentionFactor`,
 *   0.1 ln(factor) + 1 unless given (Peng et al. 2023)
 * - llama3: wavelengths below original / high kept, above original / low interpolated, a smooth
 *   blend of both frequencies between (Llama 3.1)
 */
export type RopeScaling =
  | { readonly type: 'none' }
  | { readonly type: 'linear'; readonly factor: number }
  | { readonly type: 'ntk'; readonly factor: number }
  | {
      readonly type: 'dynamic-ntk';
      readonly factor: number;
      readonly originalTokens: number;
      readonly contextTokens: number;
    }
  | {
      readonly type: 'yarn';
      readonly factor: number;
      readonly originalTokens: number;
      readonly betaFast: number;
      readonly betaSlow: number;
      readonly attentionFactor?: number;
    }
  | {
      readonly type: 'llama3';
      readonly factor: number;
      readonly originalTokens: number;
      readonly lowFrequencyFactor: number;
      readonly highFrequencyFactor: number;
    };

/** A rotary encoding ready to apply: radians per position of every pair, [headSize / 2]. */
export interface Rope {
  readonly headSize: number;
  readonly pairing: RopePairing;
  readonly frequencies: Float64Array;
  /** Multiplies rotated vectors; 1 but for YaRN. */
  readonly attentionFactor: number;
  /** Where positions have several parts: how many, and by which one each pair turns, [headSize / 2]. */
  readonly axes?: { readonly count: number; readonly ofPair: Uint8Array };
}

/**
 * The same rotation for positions of several parts: pairs in one section per part, in order, sized by
 * `shares` (multimodal RoPE; Wang et al. 2024, Qwen2-VL).
 *
 * @throws RangeError where a share is no positive number
 */
export function splitAxes(rope: Rope, shares: readonly number[]): Rope {
  const total = shares.reduce((sum, share) => sum + share, 0);
  if (!(shares.length > 0 && shares.every((share) => share > 0) && total < Infinity)) {
    throw new RangeError(`invalid shares: ${shares.join(', ')} (expected positive numbers)`);
  }
  const pairs = rope.headSize / 2;
  const ofPair = new Uint8Array(pairs);
  let end = 0;
  shares.forEach((share, axis) => {
    const start = Math.round((pairs * end) / total);
    end += share;
    ofPair.fill(axis, start, Math.round((pairs * end) / total));
  });
  return { ...rope, axes: { count: shares.length, ofPair } };
}

export interface RopeOptions {
  readonly headSize: number;
  /** theta: pair i turns by base^(-2i / headSize) per position. */
  readonly base: number;
  readonly pairing: RopePairing;
  readonly scaling?: RopeScaling;
}

/**
 * @throws RangeError where headSize is no positive even number, base is not above 1, a factor is
 * below 1, or the bands of a scaling are empty or inverted
 */
export function makeRope({
  headSize,
  base,
  pairing,
  scaling = { type: 'none' },
}: RopeOptions): Rope {
  if (!(Number.isInteger(headSize) && headSize > 0 && headSize % 2 === 0)) {
    throw new RangeError(`invalid headSize: ${headSize} (expected a positive even integer)`);
  }
  if (!(base > 1)) throw new RangeError(`invalid base: ${base} (expected above 1)`);
  if (scaling.type !== 'none') checkAtLeast(`${scaling.type} factor`, scaling.factor, 1);
  return {
    headSize,
    pairing,
    frequencies: scaledFrequencies(headSize, base, scaling),
    attentionFactor: scaling.type === 'yarn' ? yarnAttentionFactor(scaling) : 1,
  };
}

function checkAtLeast(name: string, value: number, least: number): void {
  if (!(value >= least && value < Infinity)) {
    throw new RangeError(`invalid ${name}: ${value} (expected a finite number from ${least})`);
  }
}

function checkBand(lowName: string, low: number, highName: string, high: number): void {
  if (!(low > 0 && high > low)) {
    throw new RangeError(
      `invalid ${lowName}: ${low} (expected above 0, below ${highName} ${high})`,
    );
  }
}

function plainFrequencies(headSize: number, base: number): Float64Array {
  return Float64Array.from({ length: headSize / 2 }, (_, i) => base ** ((-2 * i) / headSize));
}

function scaledFrequencies(headSize: number, base: number, scaling: RopeScaling): Float64Array {
  const plain = plainFrequencies(headSize, base);
  switch (scaling.type) {
    case 'none':
      return plain;
    case 'linear':
      return plain.map((frequency) => frequency / scaling.factor);
    case 'ntk':
      return stretchedBase(headSize, base, scaling.factor);
    case 'dynamic-ntk': {
      checkAtLeast('originalTokens', scaling.originalTokens, 1);
      const { factor, originalTokens, contextTokens } = scaling;
      const stretch = Math.max(contextTokens, originalTokens) / originalTokens;
      return stretchedBase(headSize, base, factor * stretch - (factor - 1));
    }
    case 'yarn': {
      checkAtLeast('originalTokens', scaling.originalTokens, 1);
      checkBand('betaSlow', scaling.betaSlow, 'betaFast', scaling.betaFast);
      const kept = yarnKeptShare(headSize, base, scaling);
      return plain.map((f, i) => (f / scaling.factor) * (1 - kept(i)) + f * kept(i));
    }
    case 'llama3':
      return plain.map((frequency) => llama3Frequency(frequency, scaling));
  }
}

function stretchedBase(headSize: number, base: number, factor: number): Float64Array {
  if (headSize < 4) throw new RangeError(`invalid headSize: ${headSize} (ntk expects at least 4)`);
  return plainFrequencies(headSize, base * factor ** (headSize / (headSize - 2)));
}

type Yarn = Extract<RopeScaling, { readonly type: 'yarn' }>;
type Llama3 = Extract<RopeScaling, { readonly type: 'llama3' }>;

function yarnAttentionFactor({ factor, attentionFactor }: Yarn): number {
  return attentionFactor ?? 0.1 * Math.log(factor) + 1;
}

/**
 * How much of pair i's own frequency stays: 1 before the pair that makes betaFast turns in the
 * trained length, 0 after the one that makes betaSlow, linear in i between. The ends are whole pairs,
 * as in the models' public code; the paper's ramp is linear in the number of turns.
 */
function yarnKeptShare(headSize: number, base: number, yarn: Yarn): (pair: number) => number {
  const pairOf = (turns: number) =>
    (headSize * Math.log(yarn.originalTokens / (turns * 2 * Math.PI))) / (2 * Math.log(base));
  const first = Math.max(Math.floor(pairOf(yarn.betaFast)), 0);
  const last = Math.min(Math.ceil(pairOf(yarn.betaSlow)), headSize - 1);
  // One pair for both ends would divide by zero; a step of any width below a pair is the same.
  const width = last === first ? 1e-3 : last - first;
  return (pair) => 1 - Math.min(1, Math.max(0, (pair - first) / width));
}

function llama3Frequency(frequency: number, scaling: Llama3): number {
  const { factor, originalTokens, lowFrequencyFactor: low, highFrequencyFactor: high } = scaling;
  checkBand('lowFrequencyFactor', low, 'highFrequencyFactor', high);
  const turns = (originalTokens * frequency) / (2 * Math.PI);
  const kept = Math.min(1, Math.max(0, (turns - low) / (high - low)));
  return (frequency / factor) * (1 - kept) + frequency * kept;
}
