import type { ByteSource } from '../../tensors/byte-source';
import { readTensorHeader, type TensorEntry } from '../../tensors/header';
import { asObject, field, show } from './json-fields';
import { fileNamed, INDEX_FILE, type ModelFiles, readJsonFile, WEIGHTS_FILE } from './model-files';

/** A tensor and the file that holds it. */
export interface PlacedTensor {
  readonly entry: TensorEntry;
  readonly fileName: string;
  readonly file: ByteSource;
}

export interface WeightMap {
  readonly tensors: ReadonlyMap<string, PlacedTensor>;
  /** Files of weights, in the order of their names. */
  readonly fileNames: readonly string[];
  readonly storedBytes: number;
}

/** A file name without a folder: an index must not reach elsewhere. */
const PLAIN_NAME = /^[\w-][\w.-]*\.safetensors$/;

/**
 * Reads the headers of `model.safetensors`, of the shards that `model.safetensors.index.json` names,
 * or of the only safetensors file there is; nothing of the values.
 *
 * @throws Error, one sentence with the file, for a missing, damaged or cut off one, and where index
 *   and shards disagree
 */
export async function readWeightMap(files: ModelFiles, signal?: AbortSignal): Promise<WeightMap> {
  if (files.has(WEIGHTS_FILE)) return readShards(files, [WEIGHTS_FILE], signal);
  if (files.has(INDEX_FILE)) return readSharded(files, signal);
  const names = [...files.keys()].filter((name) => name.endsWith('.safetensors'));
  if (names.length === 1) return readShards(files, names, signal);
  if (names.length > 1) {
    throw new Error(
      `missing file: "${INDEX_FILE}" (${names.length} safetensors files, and nothing says which tensor is in which)`,
    );
  }
  const other = [...files.keys()].find((name) => /\.(bin|gguf|pth|pt|onnx)$/.test(name));
  const found = other === undefined ? '' : `; ${show(other)} is of another format`;
  throw new Error(`missing weights: no "${WEIGHTS_FILE}" and no "${INDEX_FILE}"${found}`);
}

async function readSharded(files: ModelFiles, signal?: AbortSignal): Promise<WeightMap> {
  const index = asObject(await readJsonFile(files, INDEX_FILE), INDEX_FILE);
  const map = asObject(field(index, 'weight_map'), `${INDEX_FILE} weight_map`);
  const shards = new Set<string>();
  for (const [tensor, shard] of Object.entries(map)) {
    if (typeof shard !== 'string' || !PLAIN_NAME.test(shard)) {
      throw new Error(
        `${INDEX_FILE}: invalid file of tensor ${show(tensor)}: ${show(shard)} (expected a name such as "model-00001-of-00002.safetensors")`,
      );
    }
    shards.add(shard);
  }
  const names = [...shards].sort();
  const missing = names.filter((name) => !files.has(name));
  if (missing.length > 0) {
    throw new Error(
      `missing shard: ${missing.map(show).join(', ')} (of ${names.length} that ${INDEX_FILE} names)`,
    );
  }
  const read = await readShards(files, names, signal);
  for (const [tensor, shard] of Object.entries(map)) {
    const found = read.tensors.get(tensor)?.fileName;
    if (found !== shard) {
      throw new Error(
        `${INDEX_FILE}: tensor ${show(tensor)} should be in ${show(shard)} (it is in ${found === undefined ? 'no shard' : show(found)})`,
      );
    }
  }
  return read;
}

async function readShards(
  files: ModelFiles,
  names: readonly string[],
  signal?: AbortSignal,
): Promise<WeightMap> {
  const tensors = new Map<string, PlacedTensor>();
  let storedBytes = 0;
  for (const fileName of names) {
    signal?.throwIfAborted();
    const file = fileNamed(files, fileName);
    const header = await readTensorHeader(file).catch((error: Error) => {
      if (error.name === 'AbortError') throw error;
      throw new Error(`${fileName}: ${error.message}`);
    });
    storedBytes += file.size;
    for (const entry of header.tensors.values()) {
      const twice = tensors.get(entry.name);
      if (twice !== undefined) {
        throw new Error(
          `tensor ${show(entry.name)} is in two files: ${show(twice.fileName)} and ${show(fileName)}`,
        );
      }
      tensors.set(entry.name, { entry, fileName, file });
    }
  }
  return { tensors, fileNames: names, storedBytes };
}
