import { isDeltaRule } from '../attention/recurrent/rule';
import { instantiateKernel } from './module';
import { PANEL, type RecurrentLayout, TOKENS_AT_ONCE } from './recurrent-layout';

/** One call of a state rule that several threads compute over one memory; plain data, sent to workers. */
export interface RecurrentLaneCall {
  readonly type: 'recurrent';
  readonly memory: WebAssembly.Memory;
  readonly layout: RecurrentLayout;
  /** Threads, this one included; each has its own scratch. */
  readonly lanes: number;
  /** One number, shared: the next row of batch x heads that nobody has taken. */
  readonly next: Int32Array;
}

/** What one thread does to the rows of a call. */
export interface RecurrentWalker {
  /** Puts a row back to its state before the first token, after its prefix. */
  reset(row: number): void;
  /** Walks fours [start, end) of a row; they must come in order, after a `reset`. */
  run(row: number, start: number, end: number): void;
  /** Takes rows until there are none or the time is over; true where there may be more. */
  runSome(milliseconds: number): boolean;
}

/** Fours of tokens between two looks at the clock. */
const FOURS_PER_LOOK = 64;

/** @param lane which of the call's threads this is; the inputs must be in the memory */
export function createWalker(call: RecurrentLaneCall, lane: number): RecurrentWalker {
  const { memory, layout, next } = call;
  const { rule, rows, tokens, keyWidth, panels, stateFloats } = layout;
  const kernel = instantiateKernel(memory, () => undefined);
  const floats = new Float32Array(memory.buffer);
  const scratch = layout.scratch + lane * layout.scratchStride;
  const fours = tokens / TOKENS_AT_ONCE;

  function walk(row: number, start: number, end: number, part: 'tokens' | 'prefix'): void {
    const isPrefix = part === 'prefix';
    const count = isPrefix ? layout.prefixTokens : tokens;
    const token = row * count + start * TOKENS_AT_ONCE;
    const keyBytes = 4 * token * keyWidth;
    const valueBytes = 4 * token * panels * PANEL;
    const channels = layout.decayChannels;
    // Where nothing decays, and in a prefix, one number of 1 serves every token and channel.
    const decays = layout.decayFloats > 1 && !isPrefix;
    kernel.walkFours(
      scratch,
      // A prefix has no queries; its keys stand in, and what they would read is not written.
      (isPrefix ? layout.prefixKey : layout.query) + keyBytes,
      (isPrefix ? layout.prefixKey : layout.key) + keyBytes,
      (isPrefix ? layout.prefixValue : layout.value) + valueBytes,
      layout.decay + (decays ? 4 * token * channels : 0),
      decays ? 4 * channels : 0,
      decays && channels > 1 ? 4 : 0,
      isDeltaRule(rule) ? layout.writeStrength + 4 * token : 0,
      layout.state + 4 * row * stateFloats,
      layout.normaliser === 0 ? 0 : layout.normaliser + 4 * row * keyWidth,
      isPrefix ? 0 : layout.output + valueBytes,
      end - start,
      keyWidth,
      panels,
    );
  }

  /** Copies a row's floats of one place to another, or clears them. */
  function restore(to: number, from: number, row: number, count: number): void {
    if (to === 0) return;
    const at = to / 4 + row * count;
    if (from === 0) floats.fill(0, at, at + count);
    else floats.copyWithin(at, from / 4 + row * count, from / 4 + (row + 1) * count);
  }

  function reset(row: number): void {
    restore(layout.state, layout.initialState, row, stateFloats);
    restore(layout.normaliser, layout.initialNormaliser, row, keyWidth);
    if (layout.prefixTokens > 0) walk(row, 0, layout.prefixTokens / TOKENS_AT_ONCE, 'prefix');
  }

  /** The row that is under way, and the fours of it that are done. */
  let taken: { readonly row: number; done: number } | undefined;
  return {
    reset,
    run: (row, start, end) => walk(row, start, end, 'tokens'),
    runSome(milliseconds) {
      const end = performance.now() + milliseconds;
      do {
        if (taken === undefined) {
          const row = Atomics.add(next, 0, 1);
          if (row >= rows) return false;
          reset(row);
          taken = { row, done: 0 };
        }
        const until = Math.min(taken.done + FOURS_PER_LOOK, fours);
        walk(taken.row, taken.done, until, 'tokens');
        taken = until < fours ? { row: taken.row, done: until } : undefined;
      } while (performance.now() < end);
      return true;
    },
  };
}
