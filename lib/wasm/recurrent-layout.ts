import { hasNormaliser, isDeltaRule } from '../attention/recurrent/rule';
import type { RecurrentShape, StateRule } from '../attention/recurrent/types';

/** Largest number of key channels whose vectors fit the kernel's scratch. */
export const MAX_KEY_SIZE = 128;
/** As the kernel's RECURRENT_SCRATCH_BYTES says; a test compares them. */
export const SCRATCH_FLOATS = 13 * MAX_KEY_SIZE + 68;
/** Value columns of a register tile. */
export const PANEL = 8;
/** Key channels of a vector. */
const LANES = 4;
export const TOKENS_AT_ONCE = 4;
/** Places begin at whole cache lines, also so that threads do not share one. */
const LINE_BYTES = 64;

/** Where a call's tensors lie in its memory; plain data, sent to threads. Offsets are bytes. */
export interface RecurrentLayout {
  readonly rule: StateRule;
  /** Rows of batch x heads. */
  readonly rows: number;
  /** Tokens and prefix tokens, padded to fours. */
  readonly tokens: number;
  readonly prefixTokens: number;
  readonly keyWidth: number;
  readonly panels: number;
  /** Floats of a row's state, panels [panel][key channel][8]. */
  readonly stateFloats: number;
  /** Scratch of every thread, one after another. */
  readonly scratch: number;
  readonly scratchStride: number;
  readonly query: number;
  readonly key: number;
  readonly value: number;
  readonly decay: number;
  /** 1 where nothing decays: one number of 1 then serves every token and channel. */
  readonly decayFloats: number;
  readonly decayChannels: number;
  readonly writeStrength: number;
  readonly prefixKey: number;
  readonly prefixValue: number;
  readonly state: number;
  /** The same before the first token, and the normaliser's; 0 for zeros. */
  readonly initialState: number;
  readonly normaliser: number;
  readonly initialNormaliser: number;
  readonly output: number;
  readonly end: number;
}

export const wholeFours = (tokens: number) => TOKENS_AT_ONCE * Math.ceil(tokens / TOKENS_AT_ONCE);
const wholeVectors = (channels: number) => LANES * Math.ceil(channels / LANES);

/** Whether a rule reads decays, or 1 for all. */
export const isDecayed = (rule: StateRule) =>
  !['additive', 'prefix-linear', 'delta'].includes(rule.type);

/** Tokens are padded to fours, keys to vectors, values to panels. */
export function layOutRecurrent(
  rule: StateRule,
  shape: RecurrentShape,
  lanes: number,
  hasInitialState: boolean,
): RecurrentLayout {
  const keyWidth = wholeVectors(shape.keySize);
  const rows = shape.batch * shape.heads;
  const prefixTokens = rule.type === 'prefix-linear' ? wholeFours(rule.prefixTokens) : 0;
  const tokens = wholeFours(shape.tokens);
  const panels = Math.ceil(shape.valueSize / PANEL);
  const columns = PANEL * panels;
  const stateFloats = columns * keyWidth;
  const decayChannels = rule.type === 'gated' ? keyWidth : 1;
  const decayFloats = isDecayed(rule) ? rows * tokens * decayChannels : 1;
  const scratchStride = LINE_BYTES * Math.ceil((4 * SCRATCH_FLOATS) / LINE_BYTES);
  const normaliserFloats = hasNormaliser(rule) ? rows * keyWidth : 0;
  // Address 0 means none.
  let end = LINE_BYTES;
  const take = (floats: number) => {
    const start = end;
    end = LINE_BYTES * Math.ceil((start + 4 * floats) / LINE_BYTES);
    return start;
  };
  const placed = {
    scratch: take((lanes * scratchStride) / 4),
    query: take(rows * tokens * keyWidth),
    key: take(rows * tokens * keyWidth),
    value: take(rows * tokens * columns),
    decay: take(decayFloats),
    writeStrength: take(isDeltaRule(rule) ? rows * tokens : 0),
    prefixKey: take(rows * prefixTokens * keyWidth),
    prefixValue: take(rows * prefixTokens * columns),
    state: take(rows * stateFloats),
    initialState: hasInitialState ? take(rows * stateFloats) : 0,
    normaliser: normaliserFloats > 0 ? take(normaliserFloats) : 0,
    initialNormaliser: hasInitialState && normaliserFloats > 0 ? take(normaliserFloats) : 0,
    output: take(rows * tokens * columns),
  };
  return {
    rule,
    rows,
    tokens,
    prefixTokens,
    keyWidth,
    panels,
    stateFloats,
    scratchStride,
    decayFloats,
    decayChannels,
    ...placed,
    end,
  };
}
