import type { AttentionParams } from '../../lib/spec/kinds/attention';
import { RECALL_SHAPE } from '../../lib/transformer/recall';

type ModelTensors = Extract<AttentionParams['inputs'], { source: 'model' }>;

/** A layer of the shipped model on a text, with the shape that its tensors have. */
export function modelAttention(inputs: ModelTensors): Pick<AttentionParams, 'inputs' | 'shape'> {
  const { heads, kvHeads, headSize } = RECALL_SHAPE;
  const tokens = inputs.textTokens;
  return {
    inputs,
    shape: { batch: 1, queryHeads: heads, kvHeads, queries: tokens, keys: tokens, headSize },
  };
}

/** Cells that show what a layer attends to on a text of facts, under ids that are free. */
export function attentionCells(
  layer: number,
  freeId: (stem: string) => string,
): readonly unknown[] {
  const id = freeId(`layer-${layer}`);
  return [
    {
      id,
      kind: 'attention',
      params: modelAttention({ source: 'model', layer, text: 'facts', textTokens: 128 }),
    },
    { id: freeId(`layer-${layer}-map`), kind: 'map', inputs: [id], params: {} },
  ];
}
