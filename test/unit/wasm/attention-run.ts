import { buildBlockList } from '../../../lib/attention/block-list';
import { makeInputs } from '../../../lib/attention/inputs';
import type { AttentionInputs } from '../../../lib/attention/types';
import { type AttentionParams, attentionParams } from '../../../lib/spec/kinds/attention';
import {
  BLOCK_KEYS,
  BLOCK_QUERIES,
  createWasmAttention,
  type WasmAttention,
  type WasmAttentionOptions,
  type WriteVisible,
} from '../../../lib/wasm/attention';

export const WHOLE = { maxFlops: Infinity };
export const newMemory = () => new WebAssembly.Memory({ initial: 1, maximum: 65_536 });

export function inputsOf(
  shape: Partial<AttentionParams['shape']>,
  variant: AttentionParams['variant'] = { type: 'causal' },
): AttentionInputs {
  const full = { batch: 1, queryHeads: 2, kvHeads: 1, queries: 40, keys: 40, headSize: 32 };
  return makeInputs(attentionParams.parse({ shape: { ...full, ...shape }, variant, seed: 11 }));
}

/** The program's mask and score formula, element by element, over a memory. */
export function formulasOf(
  inputs: AttentionInputs,
  memory: WebAssembly.Memory,
): Pick<WasmAttentionOptions, 'modify' | 'visible'> {
  const { queries, keys } = inputs.shape;
  const { isVisible, modify } = inputs.program;
  const visible: WriteVisible = (pointer, batch, head, firstRow, firstKey, rows) => {
    const words = new Uint32Array(memory.buffer, pointer, rows);
    for (let i = 0; i < rows; i++) {
      words[i] = 0;
      for (let j = 0; j < BLOCK_KEYS; j++) {
        // Past the last key anything may be said.
        const isSeen = firstKey + j >= keys || isVisible(batch, head, firstRow + i, firstKey + j);
        words[i] = (words[i] as number) | (Number(isSeen) << j);
      }
    }
  };
  if (modify === undefined) return { visible };
  return {
    visible,
    modify: (pointer, batch, head, firstRow, firstKey) => {
      const tile = new Float32Array(memory.buffer, pointer, BLOCK_QUERIES * BLOCK_KEYS);
      for (let i = 0; i < Math.min(BLOCK_QUERIES, queries - firstRow); i++) {
        for (let j = 0; j < Math.min(BLOCK_KEYS, keys - firstKey); j++) {
          const at = i * BLOCK_KEYS + j;
          tile[at] = modify(batch, head, firstRow + i, firstKey + j, tile[at] as number);
        }
      }
    },
  };
}

/** Every head's given query blocks, by the block list of the program. */
export function runBlocks(
  attention: WasmAttention,
  inputs: AttentionInputs,
  queryBlocks: Uint32Array,
) {
  const { batch, queryHeads } = inputs.shape;
  for (let b = 0; b < batch; b++) {
    for (let h = 0; h < queryHeads; h++) {
      const list = buildBlockList(
        inputs.program,
        inputs.shape,
        b,
        [h, h],
        BLOCK_QUERIES,
        BLOCK_KEYS,
      );
      for (const i of queryBlocks) {
        const blocks = list.blocks.subarray(list.offsets[i], list.offsets[i + 1]);
        attention.runBlock(b, h, i, blocks, list.fullCounts[i] as number);
      }
    }
  }
}

export const allBlocks = ({ shape }: AttentionInputs) =>
  Uint32Array.from({ length: Math.ceil(shape.queries / BLOCK_QUERIES) }, (_, i) => i);

export function attend(inputs: AttentionInputs, options: WasmAttentionOptions = {}): WasmAttention {
  const memory = options.memory ?? newMemory();
  const attention = createWasmAttention({
    ...formulasOf(inputs, memory),
    ...options,
    memory,
  });
  attention.load({ ...inputs.shape, ...inputs });
  runBlocks(attention, inputs, allBlocks(inputs));
  return attention;
}
