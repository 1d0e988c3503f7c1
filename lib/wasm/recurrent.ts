import {
  checkRecurrentInputs,
  decayAt,
  hasNormaliser,
  isDeltaRule,
  stateRows,
} from '../attention/recurrent/rule';
import type { RecurrentInputs, RecurrentShape, StateRule } from '../attention/recurrent/types';
import { PAGE_BYTES } from './layout';
import { instantiateKernel } from './module';

/** Largest number of key channels whose vectors fit the kernel's scratch. */
export const MAX_KEY_SIZE = 128;
/** As the kernel's RECURRENT_SCRATCH_BYTES says; a test compares them. */
export const SCRATCH_FLOATS = 13 * MAX_KEY_SIZE + 68;
/** Value columns of a register tile. */
const PANEL = 8;
/** Key channels of a vector. */
const LANES = 4;
const TOKENS_AT_ONCE = 4;
const MAX_BYTES = 2 ** 31;

export interface WasmRecurrent {
  /** Fours of tokens of a row of batch x heads, and the rows: what `run` walks. */
  readonly fours: number;
  readonly rows: number;
  /** Puts every row back to its state before the first token. */
  reset(): void;
  /** Walks fours [start, end) of a row; they must come in order, after a `reset`. */
  run(row: number, start: number, end: number): void;
  /** Output [batch, heads, tokens, valueSize] and the states after the tokens walked so far. */
  read(): { readonly output: Float32Array; readonly state: Float32Array };
}

/**
 * A state rule in WebAssembly SIMD, f32, on one thread: the path for machines without a GPU. A
 * prefix is walked by `reset`.
 *
 * @throws RangeError where a tensor does not fit the shape or keySize is above 128, Error with a
 * sentence where the memory cannot be had
 */
export function createWasmRecurrent(
  inputs: RecurrentInputs,
  rule: StateRule,
  initialState?: Float32Array,
): WasmRecurrent {
  const { shape } = inputs;
  checkRecurrentInputs(inputs, rule, initialState);
  if (shape.keySize > MAX_KEY_SIZE) {
    throw new RangeError(`invalid keySize: ${shape.keySize} (expected 1..${MAX_KEY_SIZE})`);
  }
  const { keySize, valueSize, tokens } = shape;
  const keyWidth = wholeVectors(keySize);
  const rows = shape.batch * shape.heads;
  const prefixTokens = rule.type === 'prefix-linear' ? rule.prefixTokens : 0;
  const panels = Math.ceil(valueSize / PANEL);
  const tensors = place(rule, shape, prefixTokens);
  const pages = Math.ceil(tensors.end / PAGE_BYTES);
  const memory = memoryOf(pages);
  const kernel = instantiateKernel(memory, () => undefined);
  const floats = new Float32Array(memory.buffer);

  const padded = wholeFours(tokens);
  copyRows(floats, tensors.query, inputs.query, keySize, keyWidth, tokens, padded);
  copyRows(floats, tensors.key, inputs.key, keySize, keyWidth, tokens, padded);
  copyRows(floats, tensors.value, inputs.value, valueSize, panels * PANEL, tokens, padded);
  const channels = rule.type === 'gated' ? keyWidth : 1;
  fillDecays(floats, tensors.decay / 4, inputs, rule, padded, channels);
  if (isDeltaRule(rule)) {
    copyRows(floats, tensors.writeStrength, inputs.writeStrength!, 1, 1, tokens, padded);
  }
  if (prefixTokens > 0) {
    const { prefixKey, prefixValue } = inputs;
    const count = wholeFours(prefixTokens);
    copyRows(floats, tensors.prefixKey, prefixKey!, keySize, keyWidth, prefixTokens, count);
    copyRows(
      floats,
      tensors.prefixValue,
      prefixValue!,
      valueSize,
      panels * PANEL,
      prefixTokens,
      count,
    );
  }

  const stateFloats = panels * PANEL * keyWidth;
  const held = stateRows(rule, shape) * keySize;
  /** Place of a state's element in its panels [panel][key channel][8]. */
  const panelAt = (row: number, value: number, channel: number) =>
    tensors.state / 4 +
    row * stateFloats +
    (Math.floor(value / PANEL) * keyWidth + channel) * PANEL +
    (value % PANEL);
  const normaliserOf = (row: number) =>
    hasNormaliser(rule) ? tensors.normaliser + 4 * row * keyWidth : 0;

  function walk(row: number, start: number, end: number, part: 'tokens' | 'prefix'): void {
    const isPrefix = part === 'prefix';
    const count = isPrefix ? wholeFours(prefixTokens) : padded;
    const token = row * count + start * TOKENS_AT_ONCE;
    const keyBytes = 4 * token * keyWidth;
    const valueBytes = 4 * token * panels * PANEL;
    // Where nothing decays, and in a prefix, one number of 1 serves every token and channel.
    const isDecayed = tensors.decayFloats > 1 && !isPrefix;
    kernel.walkFours(
      tensors.scratch,
      // A prefix has no queries; its keys stand in, and what they would read is not written.
      (isPrefix ? tensors.prefixKey : tensors.query) + keyBytes,
      (isPrefix ? tensors.prefixKey : tensors.key) + keyBytes,
      (isPrefix ? tensors.prefixValue : tensors.value) + valueBytes,
      tensors.decay + (isDecayed ? 4 * token * channels : 0),
      isDecayed ? 4 * channels : 0,
      isDecayed && channels > 1 ? 4 : 0,
      isDeltaRule(rule) ? tensors.writeStrength + 4 * token : 0,
      tensors.state + 4 * row * stateFloats,
      normaliserOf(row),
      isPrefix ? 0 : tensors.output + valueBytes,
      end - start,
      keyWidth,
      panels,
    );
  }

  return {
    fours: padded / TOKENS_AT_ONCE,
    rows,
    reset() {
      floats.fill(0, tensors.state / 4, tensors.state / 4 + rows * stateFloats);
      for (let row = 0; row < rows; row++) {
        const z = normaliserOf(row) / 4;
        if (z > 0) floats.fill(0, z, z + keyWidth);
        if (initialState !== undefined) {
          for (let i = 0; i < valueSize * keySize; i++) {
            const at = panelAt(row, Math.floor(i / keySize), i % keySize);
            floats[at] = initialState[row * held + i]!;
          }
          const last = row * held + valueSize * keySize;
          if (z > 0) floats.set(initialState.subarray(last, last + keySize), z);
        }
        if (prefixTokens > 0) walk(row, 0, wholeFours(prefixTokens) / TOKENS_AT_ONCE, 'prefix');
      }
    },
    run: (row, start, end) => walk(row, start, end, 'tokens'),
    read() {
      const output = new Float32Array(rows * tokens * valueSize);
      const state = new Float32Array(rows * held);
      for (let row = 0; row < rows; row++) {
        for (let t = 0; t < tokens; t++) {
          const from = tensors.output / 4 + (row * padded + t) * panels * PANEL;
          output.set(floats.subarray(from, from + valueSize), (row * tokens + t) * valueSize);
        }
        for (let i = 0; i < valueSize * keySize; i++) {
          state[row * held + i] = floats[panelAt(row, Math.floor(i / keySize), i % keySize)]!;
        }
        const z = normaliserOf(row) / 4;
        if (z > 0) state.set(floats.subarray(z, z + keySize), row * held + valueSize * keySize);
      }
      return { output, state };
    },
  };
}

const wholeFours = (tokens: number) => TOKENS_AT_ONCE * Math.ceil(tokens / TOKENS_AT_ONCE);
const wholeVectors = (channels: number) => LANES * Math.ceil(channels / LANES);

/** Byte offsets of a call's tensors; tokens are padded to fours, keys to vectors, values to panels. */
function place(rule: StateRule, shape: RecurrentShape, prefixTokens: number) {
  const { batch, heads } = shape;
  const keyWidth = wholeVectors(shape.keySize);
  const rows = batch * heads;
  const tokens = rows * wholeFours(shape.tokens);
  const prefix = rows * wholeFours(prefixTokens);
  const columns = PANEL * Math.ceil(shape.valueSize / PANEL);
  const isDecayed = !['additive', 'prefix-linear', 'delta'].includes(rule.type);
  const decayFloats = isDecayed ? tokens * (rule.type === 'gated' ? keyWidth : 1) : 1;
  // Address 0 means none.
  let end = 64;
  const take = (count: number) => {
    const start = end;
    end = 64 * Math.ceil((start + 4 * count) / 64);
    return start;
  };
  return {
    scratch: take(SCRATCH_FLOATS),
    query: take(tokens * keyWidth),
    key: take(tokens * keyWidth),
    value: take(tokens * columns),
    decay: take(decayFloats),
    decayFloats,
    writeStrength: take(isDeltaRule(rule) ? tokens : 0),
    prefixKey: take(prefix * keyWidth),
    prefixValue: take(prefix * columns),
    state: take(rows * columns * keyWidth),
    normaliser: take(hasNormaliser(rule) ? rows * keyWidth : 0),
    output: take(tokens * columns),
    end,
  };
}

function memoryOf(pages: number): WebAssembly.Memory {
  const size = `${((pages * PAGE_BYTES) / 2 ** 20).toFixed(0)} MiB`;
  if (pages * PAGE_BYTES > MAX_BYTES) {
    throw new Error(`the call needs ${size} of memory, above the limit of 2048 MiB`);
  }
  try {
    return new WebAssembly.Memory({ initial: pages, maximum: pages });
  } catch (cause) {
    throw new Error(`the call needs ${size} of memory, more than WebAssembly could get here`, {
      cause,
    });
  }
}

/** Rows [rows, count, width] into [rows, paddedCount, paddedWidth] at a byte offset; the rest stays 0. */
function copyRows(
  to: Float32Array,
  offset: number,
  from: Float32Array,
  width: number,
  paddedWidth: number,
  count: number,
  paddedCount: number,
): void {
  const rows = from.length / width / count;
  for (let row = 0; row < rows; row++) {
    for (let i = 0; i < count; i++) {
      const at = (row * count + i) * width;
      const target = offset / 4 + (row * paddedCount + i) * paddedWidth;
      to.set(from.subarray(at, at + width), target);
    }
  }
}

/** Decays [rows, padded tokens, channels]; 1 past the ends, or one 1 where nothing decays. */
function fillDecays(
  to: Float32Array,
  start: number,
  inputs: RecurrentInputs,
  rule: StateRule,
  padded: number,
  channels: number,
): void {
  to[start] = 1;
  if (['additive', 'prefix-linear', 'delta'].includes(rule.type)) return;
  const { batch, heads, tokens, keySize } = inputs.shape;
  for (let row = 0; row < batch * heads; row++) {
    for (let t = 0; t < padded; t++) {
      for (let c = 0; c < channels; c++) {
        to[start + (row * padded + t) * channels + c] =
          t < tokens && c < keySize ? decayAt(inputs, rule, row, t, c) : 1;
      }
    }
  }
}
