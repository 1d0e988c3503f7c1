import {
  checkRecurrentInputs,
  decayAt,
  hasNormaliser,
  isDeltaRule,
  stateRows,
} from '../attention/recurrent/rule';
import type { RecurrentInputs, RecurrentOutput, StateRule } from '../attention/recurrent/types';
import { PAGE_BYTES } from './layout';
import {
  isDecayed,
  layOutRecurrent,
  MAX_KEY_SIZE,
  PANEL,
  type RecurrentLayout,
  TOKENS_AT_ONCE,
} from './recurrent-layout';
import { createWalker, type RecurrentLaneCall, type RecurrentWalker } from './recurrent-walker';

const MAX_BYTES = 2 ** 31;

export interface WasmRecurrent {
  /** Fours of tokens of a row of batch x heads, and the rows: what the walker walks. */
  readonly fours: number;
  readonly rows: number;
  /** The same for other threads, and this thread's part in it. */
  readonly call: RecurrentLaneCall;
  readonly walker: RecurrentWalker;
  /** Every row from its state before the first token to its end, on this thread. */
  runAll(): void;
  /** Output [batch, heads, tokens, valueSize] and the states after the tokens walked so far. */
  read(): RecurrentOutput & { readonly output: Float32Array; readonly state: Float32Array };
}

/**
 * A state rule in WebAssembly SIMD, f32: the path for machines without a GPU. Threads take rows of
 * batch x heads.
 *
 * @param lanes threads that will compute it; the memory is shared where there are several
 * @throws RangeError where a tensor does not fit the shape or keySize is above 128, Error with a
 * sentence where the memory cannot be had
 */
export function createWasmRecurrent(
  inputs: RecurrentInputs,
  rule: StateRule,
  initialState?: Float32Array,
  lanes = 1,
): WasmRecurrent {
  const { shape } = inputs;
  checkRecurrentInputs(inputs, rule, initialState);
  if (shape.keySize > MAX_KEY_SIZE) {
    throw new RangeError(`invalid keySize: ${shape.keySize} (expected 1..${MAX_KEY_SIZE})`);
  }
  const { keySize, valueSize, tokens } = shape;
  const layout = layOutRecurrent(rule, shape, lanes, initialState !== undefined);
  const { rows, keyWidth, panels, stateFloats } = layout;
  const memory = memoryOf(Math.ceil(layout.end / PAGE_BYTES), lanes > 1);
  const floats = new Float32Array(memory.buffer);
  fillTensors(floats, layout, inputs);

  const held = stateRows(rule, shape) * keySize;
  /** Place of a state's element in the panels [panel][key channel][8] that begin at a byte. */
  const panelAt = (start: number, row: number, value: number, channel: number) =>
    start / 4 +
    row * stateFloats +
    (Math.floor(value / PANEL) * keyWidth + channel) * PANEL +
    (value % PANEL);
  if (initialState !== undefined) {
    for (let row = 0; row < rows; row++) {
      for (let i = 0; i < valueSize * keySize; i++) {
        const at = panelAt(layout.initialState, row, Math.floor(i / keySize), i % keySize);
        floats[at] = initialState[row * held + i]!;
      }
      if (!hasNormaliser(rule)) continue;
      const last = row * held + valueSize * keySize;
      const z = layout.initialNormaliser / 4 + row * keyWidth;
      floats.set(initialState.subarray(last, last + keySize), z);
    }
  }

  const counter = lanes > 1 ? new SharedArrayBuffer(4) : new ArrayBuffer(4);
  const next = new Int32Array(counter);
  const call: RecurrentLaneCall = { type: 'recurrent', memory, layout, lanes, next };
  const walker = createWalker(call, 0);
  const fours = layout.tokens / TOKENS_AT_ONCE;
  return {
    fours,
    rows,
    call,
    walker,
    runAll() {
      for (let row = 0; row < rows; row++) {
        walker.reset(row);
        walker.run(row, 0, fours);
      }
    },
    read() {
      const output = new Float32Array(rows * tokens * valueSize);
      const state = new Float32Array(rows * held);
      for (let row = 0; row < rows; row++) {
        for (let t = 0; t < tokens; t++) {
          const from = layout.output / 4 + (row * layout.tokens + t) * panels * PANEL;
          output.set(floats.subarray(from, from + valueSize), (row * tokens + t) * valueSize);
        }
        for (let i = 0; i < valueSize * keySize; i++) {
          const at = panelAt(layout.state, row, Math.floor(i / keySize), i % keySize);
          state[row * held + i] = floats[at]!;
        }
        if (!hasNormaliser(rule)) continue;
        const z = layout.normaliser / 4 + row * keyWidth;
        state.set(floats.subarray(z, z + keySize), row * held + valueSize * keySize);
      }
      return { output, state };
    },
  };
}

/** @param isShared a shared memory must name its end, which this is */
function memoryOf(pages: number, isShared: boolean): WebAssembly.Memory {
  const size = `${((pages * PAGE_BYTES) / 2 ** 20).toFixed(0)} MiB`;
  if (pages * PAGE_BYTES > MAX_BYTES) {
    throw new Error(`the call needs ${size} of memory, above the limit of 2048 MiB`);
  }
  try {
    return new WebAssembly.Memory({ initial: pages, maximum: pages, shared: isShared });
  } catch (cause) {
    throw new Error(`the call needs ${size} of memory, more than WebAssembly could get here`, {
      cause,
    });
  }
}

function fillTensors(floats: Float32Array, layout: RecurrentLayout, inputs: RecurrentInputs): void {
  const { rule, keyWidth, panels, tokens: padded } = layout;
  const { keySize, valueSize, tokens } = inputs.shape;
  const columns = panels * PANEL;
  copyRows(floats, layout.query, inputs.query, keySize, keyWidth, tokens, padded);
  copyRows(floats, layout.key, inputs.key, keySize, keyWidth, tokens, padded);
  copyRows(floats, layout.value, inputs.value, valueSize, columns, tokens, padded);
  fillDecays(floats, layout, inputs);
  if (isDeltaRule(rule)) {
    copyRows(floats, layout.writeStrength, inputs.writeStrength!, 1, 1, tokens, padded);
  }
  if (rule.type === 'prefix-linear' && rule.prefixTokens > 0) {
    const { prefixKey, prefixValue } = inputs;
    const { prefixTokens } = rule;
    const count = layout.prefixTokens;
    copyRows(floats, layout.prefixKey, prefixKey!, keySize, keyWidth, prefixTokens, count);
    copyRows(floats, layout.prefixValue, prefixValue!, valueSize, columns, prefixTokens, count);
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
function fillDecays(to: Float32Array, layout: RecurrentLayout, inputs: RecurrentInputs): void {
  const { rule, rows, tokens: padded, decayChannels } = layout;
  const start = layout.decay / 4;
  to[start] = 1;
  if (!isDecayed(rule)) return;
  const { tokens, keySize } = inputs.shape;
  for (let row = 0; row < rows; row++) {
    for (let t = 0; t < padded; t++) {
      for (let c = 0; c < decayChannels; c++) {
        to[start + (row * padded + t) * decayChannels + c] =
          t < tokens && c < keySize ? decayAt(inputs, rule, row, t, c) : 1;
      }
    }
  }
}
