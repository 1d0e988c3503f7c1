import { readTensorHeader } from '../../tensors/header';
import { readTensor } from '../../tensors/read-tensor';
import type { TransformerConfig, TransformerWeights } from '../types';
import { assembleWeights, neededTensors } from './needed-tensors';

/**
 * The weights of a model out of tensors under Hugging Face's names, read one after another.
 *
 * @param read values of a tensor, row-major
 * @throws RangeError where a tensor has another length than the configuration says
 */
export async function weightsFromTensors(
  config: TransformerConfig,
  read: (name: string) => Promise<Float32Array>,
): Promise<TransformerWeights> {
  const values = new Map<string, Float32Array>();
  for (const { name, shape } of neededTensors(config)) {
    const tensor = await read(name);
    const length = shape.reduce((product, size) => product * size, 1);
    if (tensor.length !== length) {
      throw new RangeError(
        `invalid tensor "${name}": ${tensor.length} values (expected ${shape.join(' x ')})`,
      );
    }
    values.set(name, tensor);
  }
  return assembleWeights(config, (name) => values.get(name)!);
}

/**
 * `weightsFromTensors` of one safetensors file.
 *
 * @throws Error naming the tensor where it is missing or cannot be read as f32
 */
export async function weightsFromFile(
  config: TransformerConfig,
  file: Blob,
): Promise<TransformerWeights> {
  const { tensors } = await readTensorHeader(file);
  return weightsFromTensors(config, (name) => {
    const entry = tensors.get(name);
    if (entry === undefined) throw new Error(`missing tensor: "${name}"`);
    return readTensor(file, entry);
  });
}
