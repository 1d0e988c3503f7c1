import { hasNormaliser, isDeltaRule, retentionDecay, stateRows } from '../attention/recurrent/rule';
import type { RecurrentInputs, RecurrentShape, StateRule } from '../attention/recurrent/types';
import { formatBytes, storageBuffer } from './buffers';
import type { GpuDevice } from './device';
import { decayKind } from './recurrent-plans';

/** Sizes of the tensors on the device: key and value channels are padded to whole vectors. */
export interface PaddedSizes {
  readonly keySize: number;
  readonly valueSize: number;
  readonly stateRows: number;
}

const wholeVectors = (size: number) => 4 * Math.ceil(size / 4);

export function paddedSizes(rule: StateRule, shape: RecurrentShape): PaddedSizes {
  const valueSize = wholeVectors(shape.valueSize);
  return {
    keySize: wholeVectors(shape.keySize),
    valueSize,
    stateRows: valueSize + (hasNormaliser(rule) ? 1 : 0),
  };
}

/** Rows [..., from] as rows [..., to]: cut off, or padded with zeros. */
export function resizeRows(
  tensor: Float32Array,
  from: number,
  to: number,
): Float32Array<ArrayBuffer> {
  if (from === to) return tensor as Float32Array<ArrayBuffer>;
  const rows = tensor.length / from;
  const result = new Float32Array(rows * to);
  const kept = Math.min(from, to);
  for (let row = 0; row < rows; row++) {
    result.set(tensor.subarray(row * from, row * from + kept), row * to);
  }
  return result;
}

/** States [rows, stateRows, keySize] to and from their padded form; the normaliser stays last. */
export function resizeStates(
  states: Float32Array,
  rule: StateRule,
  shape: RecurrentShape,
  direction: 'pad' | 'unpad',
): Float32Array<ArrayBuffer> {
  const padded = paddedSizes(rule, shape);
  const plain = { ...shape, stateRows: stateRows(rule, shape) };
  const [from, to] = direction === 'pad' ? [plain, padded] : [padded, plain];
  const columns = resizeRows(states, from.keySize, to.keySize);
  const rows = shape.batch * shape.heads;
  const result = new Float32Array(rows * to.stateRows * to.keySize);
  const valueRows = Math.min(from.valueSize, to.valueSize);
  for (let row = 0; row < rows; row++) {
    const head = columns.subarray(
      row * from.stateRows * to.keySize,
      (row + 1) * from.stateRows * to.keySize,
    );
    const at = row * to.stateRows * to.keySize;
    result.set(head.subarray(0, valueRows * to.keySize), at);
    if (hasNormaliser(rule)) {
      result.set(head.subarray(from.valueSize * to.keySize), at + to.valueSize * to.keySize);
    }
  }
  return result;
}

export interface RecurrentTensors {
  readonly query: GPUBuffer;
  readonly key: GPUBuffer;
  readonly value: GPUBuffer;
  readonly decay: GPUBuffer | undefined;
  readonly writeStrength: GPUBuffer | undefined;
  readonly prefixKey: GPUBuffer | undefined;
  readonly prefixValue: GPUBuffer | undefined;
  /** The state before the first token; runs do not change it. */
  readonly initialState: GPUBuffer;
  /** Two states that the submits read and write in turn. */
  readonly states: readonly [GPUBuffer, GPUBuffer];
  /** Chunk plans: [chunks, rows, stateRows, keySize] and the products of decays [chunks, rows, keySize]. */
  readonly chunkStates: GPUBuffer | undefined;
  readonly chunkDecay: GPUBuffer | undefined;
  readonly output: GPUBuffer;
  destroy(): void;
}

/**
 * Uploads what a rule reads and makes room for what it writes.
 *
 * @param chunks chunks of a chunk plan; undefined for a walk over all tokens
 *
 * @throws Error with a sentence where a tensor exceeds the adapter's largest buffer or its memory
 */
export async function uploadRecurrent(
  gpu: GpuDevice,
  inputs: RecurrentInputs,
  rule: StateRule,
  initialState: Float32Array | undefined,
  chunks: number | undefined,
): Promise<RecurrentTensors> {
  const { batch, heads, tokens, keySize, valueSize } = inputs.shape;
  const padded = paddedSizes(rule, inputs.shape);
  const rows = batch * heads;
  const made: GPUBuffer[] = [];
  const store = async (name: string, content: Parameters<typeof storageBuffer>[2]) => {
    const bytes = 'data' in content ? content.data.byteLength : content.bytes;
    if (bytes > gpu.info.maxBufferBytes) {
      throw new Error(
        `${name} needs ${formatBytes(bytes)}, above the limit of ${formatBytes(gpu.info.maxBufferBytes)} per buffer`,
      );
    }
    const buffer = await storageBuffer(gpu, name, content);
    made.push(buffer);
    return buffer;
  };
  const destroy = () => {
    for (const buffer of made) buffer.destroy();
  };
  const keys = (name: string, data: Float32Array) =>
    store(name, { data: resizeRows(data, keySize, padded.keySize) });
  const values = (name: string, data: Float32Array) =>
    store(name, { data: resizeRows(data, valueSize, padded.valueSize) });
  const decays = () => {
    if (rule.type === 'retnet') {
      return store('decay', {
        data: Float32Array.from({ length: heads }, (_, h) => retentionDecay(h)),
      });
    }
    if (decayKind(rule) === 'channels') return keys('decay', inputs.decay!);
    return store('decay', { data: inputs.decay! as Float32Array<ArrayBuffer> });
  };
  const hasPrefix = rule.type === 'prefix-linear' && rule.prefixTokens > 0;
  const state = { bytes: rows * padded.stateRows * padded.keySize * 4 };
  try {
    return {
      query: await keys('query', inputs.query),
      key: await keys('key', inputs.key),
      value: await values('value', inputs.value),
      decay: decayKind(rule) === 'none' ? undefined : await decays(),
      writeStrength: isDeltaRule(rule)
        ? await store('write strength', {
            data: inputs.writeStrength! as Float32Array<ArrayBuffer>,
          })
        : undefined,
      prefixKey: hasPrefix ? await keys('prefix key', inputs.prefixKey!) : undefined,
      prefixValue: hasPrefix ? await values('prefix value', inputs.prefixValue!) : undefined,
      initialState: await store(
        'initial state',
        initialState === undefined
          ? state
          : { data: resizeStates(initialState, rule, inputs.shape, 'pad') },
      ),
      states: [await store('state', state), await store('state', state)],
      chunkStates:
        chunks === undefined
          ? undefined
          : await store('chunk states', { bytes: chunks * state.bytes }),
      chunkDecay:
        chunks === undefined
          ? undefined
          : await store('chunk decays', { bytes: chunks * rows * padded.keySize * 4 }),
      output: await store('output', { bytes: rows * tokens * padded.valueSize * 4 }),
      destroy,
    };
  } catch (error) {
    destroy();
    throw error;
  }
}
