import { createRandom, type Random } from '../../random/random';
import { legendreStep, shiftedLegendre } from './legendre';
import { legendreReference } from './legendre-reference';

/** Longest window of the demonstration; a longer theta is scaled down to it. */
const MOST_TOKENS = 1024;
const SIGNALS = 8;
const MOST_BINS = 32;
/** Periods within a window of the smooth signal's waves. */
const WAVES = [0.5, 1, 2, 3] as const;

/** How much of the sliding window a Legendre memory gives back; relative RMS errors over 8 signals. */
export interface WindowReconstruction {
  readonly windowTokens: number;
  readonly orders: readonly number[];
  /** Per order: sums of waves with up to 3 periods in a window, and white noise. */
  readonly smoothErrors: readonly number[];
  readonly noiseErrors: readonly number[];
  /** The largest order's error over the window, by tokens back from the last. */
  readonly tokensBack: readonly number[];
  readonly smoothErrorsBack: readonly number[];
  readonly noiseErrorsBack: readonly number[];
}

/**
 * Runs the memory over two windows of seeded signals and reads the last window back from the state
 * alone: u(t - s) is about the sum of m_i P_i(2 s / theta - 1). No weights, so nothing to train.
 * Held inputs make token t - j a step over [j, j + 1), read at its middle.
 */
export function reconstructWindow(
  order: number,
  thetaTokens: number,
  seed: number,
): WindowReconstruction {
  const windowTokens = Math.min(thetaTokens, MOST_TOKENS);
  const orders = [1, 2, 4, 8, 16, 32, 64].filter((each) => each < order).concat(order);
  const random = createRandom(seed).fork('legendre window');
  const smooth = signals(windowTokens, (s) =>
    smoothSignal(random.fork(`smooth ${s}`), windowTokens),
  );
  const noise = signals(windowTokens, (s) => {
    const stream = random.fork(`noise ${s}`);
    return () => stream.normal();
  });
  const errors = orders.map((each) => ({
    smooth: windowErrors(each, windowTokens, smooth),
    noise: windowErrors(each, windowTokens, noise),
  }));
  const whole = (squares: WindowErrors) => Math.sqrt(sum(squares.error) / sum(squares.signal));
  const { smooth: smoothLast, noise: noiseLast } = errors.at(-1)!;
  const bins = Math.min(MOST_BINS, windowTokens);
  const back = (squares: WindowErrors) => {
    const scale = sum(squares.signal) / windowTokens;
    return Array.from({ length: bins }, (_, bin) => {
      const [from, to] = [bin, bin + 1].map((each) => Math.floor((each * windowTokens) / bins));
      return Math.sqrt(sum(squares.error.subarray(from, to)) / (to! - from!) / scale);
    });
  };
  return {
    windowTokens,
    orders,
    smoothErrors: errors.map((each) => whole(each.smooth)),
    noiseErrors: errors.map((each) => whole(each.noise)),
    tokensBack: Array.from({ length: bins }, (_, bin) => ((bin + 0.5) * windowTokens) / bins),
    smoothErrorsBack: back(smoothLast),
    noiseErrorsBack: back(noiseLast),
  };
}

const sum = (values: Float64Array) => values.reduce((total, each) => total + each, 0);

/** [2 windowTokens, SIGNALS]: every signal over two windows, so that the first has left the memory. */
function signals(
  windowTokens: number,
  make: (signal: number) => (token: number) => number,
): Float32Array<ArrayBuffer> {
  const each = Array.from({ length: SIGNALS }, (_, s) => make(s));
  return Float32Array.from({ length: 2 * windowTokens * SIGNALS }, (_, at) =>
    each[at % SIGNALS]!(Math.floor(at / SIGNALS)),
  );
}

function smoothSignal(random: Random, windowTokens: number): (token: number) => number {
  const waves = WAVES.map((periods) => ({
    rate: (2 * Math.PI * periods) / windowTokens,
    phase: 2 * Math.PI * random.uniform(),
    height: random.normal(),
  }));
  return (token) =>
    waves.reduce(
      (total, { rate, phase, height }) => total + height * Math.sin(rate * token + phase),
      0,
    );
}

/** Sums over the signals of squared errors and of squared values, by tokens back. */
interface WindowErrors {
  readonly error: Float64Array;
  readonly signal: Float64Array;
}

function windowErrors(order: number, windowTokens: number, input: Float32Array): WindowErrors {
  const tokens = 2 * windowTokens;
  const { state } = legendreReference({
    shape: { batch: 1, heads: 1, tokens, keySize: order, valueSize: SIGNALS },
    thetaTokens: windowTokens,
    step: legendreStep(order, windowTokens),
    query: new Float32Array(tokens * order),
    value: input,
  });
  const error = new Float64Array(windowTokens);
  const signal = new Float64Array(windowTokens);
  for (let j = 0; j < windowTokens; j++) {
    const polynomials = shiftedLegendre(order, (j + 0.5) / windowTokens);
    for (let s = 0; s < SIGNALS; s++) {
      let read = 0;
      for (let i = 0; i < order; i++) read += polynomials[i]! * state[s * order + i]!;
      const u = input[(tokens - 1 - j) * SIGNALS + s]!;
      error[j] = error[j]! + (read - u) ** 2;
      signal[j] = signal[j]! + u ** 2;
    }
  }
  return { error, signal };
}
