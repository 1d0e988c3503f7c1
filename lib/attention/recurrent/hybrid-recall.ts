import { createRandom } from '../../random/random';
import type { Hybrid } from './hybrid';
import { readBack, relativeDistance, unitRows } from './recall';
import type { StateRule } from './types';

/** Sizes up to which recall is simulated; larger stacks are scaled down to these. */
const MOST_KEY_SIZE = 16;
const MOST_WINDOW_PAIRS = 128;
const MOST_RECURRENT_LAYERS = 7;

/** Pairs written, as shares of the simulated window. */
const WINDOW_SHARES = [1 / 4, 1 / 2, 1, 3 / 2, 2, 4] as const;

/** One memory at every number of pairs. */
export interface MemoryRecall {
  /** Relative L2 error over all pairs; 1 is what an answer of zero has. */
  readonly errors: readonly number[];
  /** Share of pairs whose answer is nearer to its own value than to any other (MQAR's accuracy). */
  readonly recalled: readonly number[];
}

/** Recall of three memories of the same size. */
export interface HybridRecall {
  readonly keySize: number;
  readonly windowPairs: number;
  /** Recurrent layers for each window layer, as simulated. */
  readonly recurrentLayers: number;
  /** f32 bytes that each of the three keeps for one head. */
  readonly bytes: number;
  /** Key channels of the state alone, and pairs of the window alone, at those bytes. */
  readonly recurrentOnlyKeySize: number;
  readonly windowOnlyPairs: number;
  readonly pairs: readonly number[];
  readonly recurrentOnly: MemoryRecall;
  readonly windowOnly: MemoryRecall;
  readonly hybrid: MemoryRecall;
}

/**
 * Associative recall by one block of a hybrid: one head, values of `d` channels, one window layer of
 * w pairs (2 d floats each) and n recurrent layers, folded into one state of n d key channels
 * (d floats each). Random unit keys are written once and each is read.
 *
 * Nothing is trained. The window layer is taken to give back any of its last w pairs without
 * error, which bounds softmax from above; a pair that left it is read from the state, which all
 * pairs were written to. At equal bytes the window alone holds w + n d / 2 pairs and answers zero
 * for the rest, and the state alone has n d + 2 w key channels.
 *
 * @returns undefined without a window layer: there is nothing to compare
 */
export function hybridRecall(
  hybrid: Hybrid,
  rule: StateRule,
  keySize: number,
  seed: number,
): HybridRecall | undefined {
  if (hybrid.softmaxEvery === 0) return undefined;
  // An even size, so that a state is a whole number of pairs.
  const size = Math.max(2, 2 * Math.floor(Math.min(keySize, MOST_KEY_SIZE) / 2));
  const windowPairs = Math.min(hybrid.windowTokens, MOST_WINDOW_PAIRS);
  const recurrentLayers = Math.min(
    hybrid.softmaxEvery - 1,
    hybrid.layers - 1,
    MOST_RECURRENT_LAYERS,
  );
  const hybridKeySize = recurrentLayers * size;
  const recurrentOnlyKeySize = hybridKeySize + 2 * windowPairs;
  const windowOnlyPairs = windowPairs + hybridKeySize / 2;
  const pairs = [
    ...new Set(WINDOW_SHARES.map((share) => Math.max(1, Math.round(share * windowPairs)))),
  ];
  const random = createRandom(seed).fork('hybrid recall');
  const curves = pairs.map((count) => {
    const values = unitRows(random.fork(`values ${count}`), count, size);
    const fromState = (channels: number) => {
      if (channels === 0) return new Float64Array(count * size);
      const keys = unitRows(random.fork(`keys ${channels} ${count}`), count, channels);
      return readBack(rule, channels, size, keys, values, keys);
    };
    /** The last `held` pairs come from the window, the earlier ones from the state. */
    const throughWindow = (held: number, state: Float64Array) => {
      const first = Math.max(0, count - held) * size;
      return state.map((each, i) => (i < first ? each : values[i]!));
    };
    const nothing = new Float64Array(count * size);
    const measured = (answers: Float64Array) => ({
      error: relativeDistance(answers, values),
      recalled: recalledShare(answers, values, size),
    });
    return {
      recurrentOnly: measured(fromState(recurrentOnlyKeySize)),
      windowOnly: measured(throughWindow(windowOnlyPairs, nothing)),
      hybrid: measured(throughWindow(windowPairs, fromState(hybridKeySize))),
    };
  });
  const curve = (memory: 'recurrentOnly' | 'windowOnly' | 'hybrid'): MemoryRecall => ({
    errors: curves.map((each) => each[memory].error),
    recalled: curves.map((each) => each[memory].recalled),
  });
  return {
    keySize: size,
    windowPairs,
    recurrentLayers,
    bytes: 4 * recurrentOnlyKeySize * size,
    recurrentOnlyKeySize,
    windowOnlyPairs,
    pairs,
    recurrentOnly: curve('recurrentOnly'),
    windowOnly: curve('windowOnly'),
    hybrid: curve('hybrid'),
  };
}

/** Share of answers [count, size] with a larger dot product with their own unit value than with any other. */
function recalledShare(answers: Float64Array, values: Float32Array, size: number): number {
  const count = values.length / size;
  const dot = (i: number, j: number) => {
    let sum = 0;
    for (let c = 0; c < size; c++) sum += answers[i * size + c]! * values[j * size + c]!;
    return sum;
  };
  let recalled = 0;
  for (let i = 0; i < count; i++) {
    const own = dot(i, i);
    // An answer of zero is no answer, even where it is the only pair.
    let isNearest = own > 0;
    for (let j = 0; isNearest && j < count; j++) isNearest = j === i || dot(i, j) < own;
    if (isNearest) recalled++;
  }
  return recalled / count;
}
