import { makeProgram } from '../attention/program';
import type { AttentionParams } from '../spec/kinds/attention';
import { sampleText } from '../tasks/sample-text';
import { wordOf } from '../tasks/vocabulary';
import { layerTensors } from '../transformer/layer-tensors';
import { openModel } from '../transformer/load/open-model';
import { RECALL_FILES, type RecallFile } from '../transformer/recall';
import type { Transformer } from '../transformer/types';
import { createWasmTransformer } from '../wasm/transformer';
import type { CallInputs } from './call-inputs';

/** Reads a file of the shipped recall model. */
export type ReadRecall = (name: RecallFile) => Promise<Blob>;

/** The shipped model, loaded by the first call that needs it. */
export function recallModel(read: ReadRecall): () => Promise<Transformer> {
  let loading: Promise<Transformer> | undefined;
  async function load(): Promise<Transformer> {
    const files = await Promise.all(
      RECALL_FILES.map(async (name) => [name, await read(name)] as const),
    );
    const opened = await openModel(new Map(files));
    return createWasmTransformer(opened.config, await opened.load());
  }
  return () => {
    loading ??= load();
    // A failed download may be tried again.
    loading.catch(() => {
      loading = undefined;
    });
    return loading;
  };
}

/**
 * Q, K and V of a layer of the shipped model on a seeded text.
 *
 * @throws Error where the cell's shape is not that of the tensors
 */
export function modelInputs(params: AttentionParams, model: Transformer): CallInputs {
  const { inputs: source, shape, seed } = params;
  if (source.source !== 'model') throw new Error('the inputs do not come from the model');
  const { heads, kvHeads, headSize } = model.config;
  const found = {
    batch: 1,
    queryHeads: heads,
    kvHeads,
    queries: source.textTokens,
    keys: source.textTokens,
    headSize,
  };
  for (const [side, size] of Object.entries(found)) {
    const given = shape[side as keyof typeof found];
    if (given === size) continue;
    throw new Error(`the model's tensors have ${side} ${size}, this cell has ${given}`);
  }
  const tokens = sampleText(source.text, source.textTokens, seed);
  return {
    inputs: { shape, ...layerTensors(model, tokens, source.layer), program: makeProgram(params) },
    tokens: tokens.map(wordOf),
    notes: [
      `inputs from layer ${source.layer} of the recall model on a ${source.text} text, keys and queries after RoPE`,
    ],
  };
}
