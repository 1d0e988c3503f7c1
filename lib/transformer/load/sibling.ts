import { readTensorHeader } from '../../tensors/header';
import { readTensor } from '../../tensors/read-tensor';
import { readSiblingConfig, type SiblingConfig, type SiblingTensors } from '../siblings';

/** Files of a shipped sibling, in `public/models/siblings/<name>`. */
export const SIBLING_FILES = ['config.json', 'model.safetensors'] as const;
export type SiblingFile = (typeof SIBLING_FILES)[number];

/** A sibling, ready to run. */
export interface LoadedSibling {
  readonly config: SiblingConfig;
  readonly tensors: SiblingTensors;
  /** Numbers of the model. */
  readonly parameters: number;
}

/** @throws Error naming the field or tensor that cannot be read */
export async function loadSibling(config: Blob, weights: Blob): Promise<LoadedSibling> {
  const { tensors: entries } = await readTensorHeader(weights);
  const tensors = new Map<string, Float32Array>();
  let parameters = 0;
  for (const [name, entry] of entries) {
    const values = await readTensor(weights, entry);
    tensors.set(name, values);
    parameters += values.length;
  }
  return { config: readSiblingConfig(JSON.parse(await config.text())), tensors, parameters };
}
