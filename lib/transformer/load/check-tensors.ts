import type { Dtype } from '../../tensors/dtype';
import type { TransformerConfig } from '../types';
import { isSpareTensor, neededTensors } from './needed-tensors';
import type { PlacedTensor, WeightMap } from './weight-map';

const WEIGHT_DTYPES: readonly Dtype[] = ['F32', 'F16', 'BF16'];

export interface CheckedTensors {
  /** The model's tensors, in the order of the files: reading them so reads each file once, forward. */
  readonly tensors: readonly PlacedTensor[];
  /** Tensors by dtype. */
  readonly dtypes: Readonly<Partial<Record<Dtype, number>>>;
}

/**
 * Checks that the files hold every tensor of a model, in its shape, as f32, f16 or bf16, and nothing
 * else that would matter to it.
 *
 * @throws Error, one sentence with the tensor, what it is and what was expected
 */
export function checkTensors(config: TransformerConfig, map: WeightMap): CheckedTensors {
  const { architecture } = config;
  const needed = neededTensors(config);
  const missing = needed.filter(({ name }) => !map.tensors.has(name));
  const [first] = missing;
  if (first !== undefined) {
    const more = missing.length > 1 ? ` and ${missing.length - 1} more` : '';
    throw new Error(
      `missing tensor: "${first.name}" of shape [${first.shape.join(', ')}]${more} (${needed.length} are needed by config.json)`,
    );
  }
  const tensors = needed.map(({ name, shape }) => {
    const placed = map.tensors.get(name)!;
    const { entry, fileName } = placed;
    if (entry.shape.length !== shape.length || entry.shape.some((side, i) => side !== shape[i])) {
      throw new Error(
        `${fileName}: tensor "${name}" has the shape [${entry.shape.join(', ')}] (expected [${shape.join(', ')}] by config.json)`,
      );
    }
    if (!WEIGHT_DTYPES.includes(entry.dtype)) {
      throw new Error(
        `${fileName}: tensor "${name}" is of dtype ${entry.dtype} (expected ${WEIGHT_DTYPES.join(', ')})`,
      );
    }
    return placed;
  });
  const names = new Set(needed.map(({ name }) => name));
  for (const [name, { fileName }] of map.tensors) {
    if (names.has(name) || isSpareTensor(name, config)) continue;
    throw new Error(
      `${fileName}: tensor "${name}" has no place in a ${architecture} model of ${config.layers} layers: leaving it out would change the answers`,
    );
  }
  const dtypes: Partial<Record<Dtype, number>> = {};
  for (const { entry } of tensors) dtypes[entry.dtype] = (dtypes[entry.dtype] ?? 0) + 1;
  const place = new Map(map.fileNames.map((name, i) => [name, i]));
  return {
    tensors: tensors.sort(
      (a, b) => place.get(a.fileName)! - place.get(b.fileName)! || a.entry.start - b.entry.start,
    ),
    dtypes,
  };
}
