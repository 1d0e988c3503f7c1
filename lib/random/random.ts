/** A seeded stream of numbers: the same seed gives the same stream in every engine. */
export interface Random {
  /** In [0, 1), 53 bits. */
  uniform(): number;
  /** Standard normal, by Marsaglia's polar method. */
  normal(): number;
  /** Exponential with mean 1. */
  exponential(): number;
  /** Gamma with the given shape and scale 1 (Marsaglia and Tsang, 2000). */
  gamma(shape: number): number;
  /** Integer in [low, high]. */
  integer(low: number, high: number): number;
  /** An independent stream named by `label`: drawing from it leaves this one alone. */
  fork(label: string): Random;
}

/** 32-bit FNV-1a of a label, mixed with a number. */
function hashLabel(label: string, seed: number): number {
  let hash = (2166136261 ^ seed) >>> 0;
  for (let i = 0; i < label.length; i++) {
    hash = Math.imul(hash ^ label.charCodeAt(i), 16777619) >>> 0;
  }
  return hash;
}

/** splitmix32: spreads a small seed over the four words of the generator's state. */
function splitmix(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x9e3779b9) >>> 0;
    let z = state;
    z = Math.imul(z ^ (z >>> 16), 0x85ebca6b);
    z = Math.imul(z ^ (z >>> 13), 0xc2b2ae35);
    return (z ^ (z >>> 16)) >>> 0;
  };
}

/**
 * sfc32 (Doty-Humphrey's Small Fast Counting generator) seeded by splitmix32. The integer stream is
 * exact everywhere; `normal`, `exponential` and `gamma` go through `Math.log` and `Math.sqrt`, whose
 * last bit may differ between engines.
 *
 * @param seed integer; only its low 32 bits count
 */
export function createRandom(seed: number): Random {
  const next = splitmix(seed);
  // In typed arrays, where engines need no object for a number that is no small integer.
  const state = Int32Array.of(next(), next(), next(), 1);
  const spare = new Float64Array(1);
  let hasSpare = false;

  function word(): number {
    const b = state[1]!;
    const c = state[2]!;
    const sum = (state[0]! + b + state[3]!) | 0;
    state[3] = state[3]! + 1;
    state[0] = b ^ (b >>> 9);
    state[1] = c + (c << 3);
    state[2] = ((c << 21) | (c >>> 11)) + sum;
    return sum >>> 0;
  }
  for (let i = 0; i < 12; i++) word();

  function uniform(): number {
    return ((word() >>> 5) * 67108864 + (word() >>> 6)) / 9007199254740992;
  }

  function normal(): number {
    if (hasSpare) {
      hasSpare = false;
      return spare[0]!;
    }
    for (;;) {
      const x = 2 * uniform() - 1;
      const y = 2 * uniform() - 1;
      const s = x * x + y * y;
      if (s > 0 && s < 1) {
        const factor = Math.sqrt((-2 * Math.log(s)) / s);
        spare[0] = y * factor;
        hasSpare = true;
        return x * factor;
      }
    }
  }

  function gamma(shape: number): number {
    if (!(shape > 0)) throw new RangeError(`invalid gamma shape: ${shape} (expected above 0)`);
    if (shape < 1) return gamma(shape + 1) * (1 - uniform()) ** (1 / shape);
    const d = shape - 1 / 3;
    const scale = 1 / Math.sqrt(9 * d);
    for (;;) {
      const x = normal();
      const v = (1 + scale * x) ** 3;
      if (v > 0 && Math.log(1 - uniform()) < 0.5 * x * x + d - d * v + d * Math.log(v))
        return d * v;
    }
  }

  return {
    uniform,
    normal,
    exponential: () => -Math.log(1 - uniform()),
    gamma,
    integer: (low, high) => low + Math.floor(uniform() * (high - low + 1)),
    fork: (label) => createRandom(hashLabel(label, seed)),
  };
}
