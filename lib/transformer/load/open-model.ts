import { elementsOf } from '../../tensors/dtype';
import { readTensor } from '../../tensors/read-tensor';
import type { TransformerConfig, TransformerWeights } from '../types';
import { type CheckedTensors, checkTensors } from './check-tensors';
import { configNotes, readConfig, readEosTokens } from './config';
import { asObject } from './json-fields';
import { formatBytes, type ModelMemory, memoryOf } from './memory';
import {
  CONFIG_FILE,
  GENERATION_FILE,
  type ModelFiles,
  readJsonFile,
  TOKENIZER_FILE,
} from './model-files';
import { assembleWeights } from './needed-tensors';
import { openTokenizer, type Tokenizer } from './tokenizer';
import { readWeightMap } from './weight-map';

export interface LoadProgress {
  readonly bytesRead: number;
  readonly bytesTotal: number;
  readonly fileName: string;
}

export interface LoadOptions {
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: LoadProgress) => void;
}

/** A model whose files fit together; its values are not read yet. */
export interface OpenedModel {
  readonly config: TransformerConfig;
  readonly memory: ModelMemory;
  /** Names of the files of weights. */
  readonly fileNames: readonly string[];
  /** Bytes of those files. */
  readonly storedBytes: number;
  readonly tensorCount: number;
  /** Tensors by dtype. */
  readonly dtypes: CheckedTensors['dtypes'];
  /** How the configuration was taken, where that is worth telling. */
  readonly notes: readonly string[];
  /**
   * Reads the weights as f32.
   *
   * @throws Error naming file and tensor where a value is not finite or cannot be read, or memory ends;
   *   AbortError when cancelled
   */
  load(options?: LoadOptions): Promise<TransformerWeights>;
  /** @throws Error where `tokenizer.json` is missing, or of a kind that is not known */
  tokenizer(): Promise<Tokenizer>;
}

/**
 * Opens a model of Hugging Face's layout: `config.json`, `tokenizer.json`, and `model.safetensors` or
 * `model.safetensors.index.json` with its shards. Every tensor's presence, shape and dtype is checked
 * from the headers. Stop tokens of `generation_config.json`, where it is given, are added.
 *
 * @throws Error, one sentence that says which file, field or tensor is wrong, and its value
 */
export async function openModel(
  files: ModelFiles,
  { signal }: { readonly signal?: AbortSignal } = {},
): Promise<OpenedModel> {
  const json = await readJsonFile(files, CONFIG_FILE);
  const config = await withStopTokens(
    inConfigFile(() => readConfig(json)),
    files,
  );
  signal?.throwIfAborted();
  const map = await readWeightMap(files, signal);
  const { tensors, dtypes } = checkTensors(config, map);
  return {
    config,
    memory: memoryOf(config),
    fileNames: map.fileNames,
    storedBytes: map.storedBytes,
    tensorCount: tensors.length,
    dtypes,
    notes: [
      ...configNotes(json),
      ...(files.has(TOKENIZER_FILE)
        ? []
        : [`no ${TOKENIZER_FILE}: text cannot be read or written`]),
    ],
    load: (options) => loadWeights(config, tensors, options),
    tokenizer: () => openTokenizer(files),
  };
}

function inConfigFile<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw new Error(`${CONFIG_FILE}: ${(error as Error).message}`);
  }
}

/** Chat models end their turns by tokens that only this file names. */
async function withStopTokens(
  config: TransformerConfig,
  files: ModelFiles,
): Promise<TransformerConfig> {
  if (!files.has(GENERATION_FILE)) return config;
  const json = asObject(await readJsonFile(files, GENERATION_FILE), GENERATION_FILE);
  try {
    const more = readEosTokens(json, config.vocabularySize);
    return { ...config, eosTokens: [...new Set([...config.eosTokens, ...more])] };
  } catch (error) {
    throw new Error(`${GENERATION_FILE}: ${(error as Error).message}`);
  }
}

async function loadWeights(
  config: TransformerConfig,
  tensors: CheckedTensors['tensors'],
  { signal, onProgress }: LoadOptions = {},
): Promise<TransformerWeights> {
  const bytesOf = ({ entry }: (typeof tensors)[number]) => entry.end - entry.start;
  const bytesTotal = tensors.reduce((sum, tensor) => sum + bytesOf(tensor), 0);
  const values = new Map<string, Float32Array>();
  let bytesBefore = 0;
  let elementsBefore = 0;
  for (const tensor of tensors) {
    const { entry, file, fileName } = tensor;
    const bytes = bytesOf(tensor);
    const read = await readTensor(file, entry, {
      ...(signal ? { signal } : {}),
      onFraction: (fraction) =>
        onProgress?.({ bytesRead: bytesBefore + fraction * bytes, bytesTotal, fileName }),
    }).catch((error: Error) => {
      if (error.name === 'AbortError') throw error;
      if (error.name === 'NotReadableError' || error.name === 'NotFoundError') {
        throw new Error(`${fileName}: the file changed or went away while it was read`);
      }
      if (error instanceof RangeError) {
        const needed = formatBytes(4 * elementsOf(entry.shape));
        throw new Error(
          `not enough memory for tensor "${entry.name}": ${needed} as f32, after ${formatBytes(4 * elementsBefore)}`,
        );
      }
      throw new Error(`${fileName}: ${error.message}`);
    });
    elementsBefore += read.length;
    values.set(entry.name, read);
    bytesBefore += bytes;
  }
  return assembleWeights(config, (name) => values.get(name)!);
}
