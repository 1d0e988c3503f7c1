import type { AttentionParams, AttentionShape, FileSource } from '../spec/kinds/attention';
import { readTensorHeader, type TensorEntry, type TensorHeader } from '../tensors/header';
import { readTensor } from '../tensors/read-tensor';
import { fileShape, shapeDifference, sourceEntries } from './file-shape';
import { makeProgram } from './program';
import type { AttentionInputs } from './types';

/** Q, K and V of a file: query [batch, queryHeads, queries, headSize], key and value [batch, kvHeads, keys, headSize]. */
export interface FileTensors {
  readonly query: Float32Array;
  readonly key: Float32Array;
  readonly value: Float32Array;
  /** Token of every key, where the metadata has them. */
  readonly tokens: readonly string[] | undefined;
  /** Where the numbers come from, and what was left out: for the notes of a result. */
  readonly notes: readonly string[];
}

export interface ReadFileOptions {
  readonly signal?: AbortSignal;
  /** Share of the three tensors' bytes that was read. */
  readonly onFraction?: (fraction: number) => void;
}

/**
 * Q, K and V that a source names in its file, in the layout of kernels, whatever kind of cell
 * computes with them.
 *
 * @param shape the cell's; the file must have the same
 * @throws Error with one sentence on anything that does not fit, AbortError when cancelled
 */
export async function readFileTensors(
  file: File,
  source: FileSource,
  shape: AttentionShape,
  options: ReadFileOptions = {},
): Promise<FileTensors> {
  const header = await readTensorHeader(file);
  const difference = shapeDifference(fileShape(header, source), shape);
  if (difference !== undefined) throw new Error(difference);
  const { query, key, value } = sourceEntries(header, source);
  const total = [query, key, value].reduce((sum, { start, end }) => sum + end - start, 0);
  let done = 0;
  const read = async (entry: TensorEntry, heads: number, positions: number) => {
    const bytes = entry.end - entry.start;
    const values = await readTensor(file, entry, {
      ...(options.signal && { signal: options.signal }),
      onFraction: (fraction) => options.onFraction?.((done + fraction * bytes) / total),
    });
    done += bytes;
    return source.layout === 'bnhd' || source.layout === 'nhd'
      ? headMajor(values, shape.batch, positions, heads, shape.headSize)
      : values;
  };
  const { tokens, note } = readTokens(header, shape.keys);
  const described = [query, key, value].map(({ name, dtype }) => `${name} (${dtype})`).join(', ');
  const rounded = [query, key, value].some(({ dtype }) => dtype === 'F64');
  return {
    query: await read(query, shape.queryHeads, shape.queries),
    key: await read(key, shape.kvHeads, shape.keys),
    value: await read(value, shape.kvHeads, shape.keys),
    tokens,
    notes: [
      `inputs from ${JSON.stringify(file.name)}: ${described}${rounded ? '; F64 rounded to f32' : ''}`,
      ...(note === undefined ? [] : [note]),
    ],
  };
}

/** The inputs of an attention cell whose source is a file. @throws as `readFileTensors` */
export async function fileInputs(
  params: AttentionParams,
  file: File | undefined,
  options: ReadFileOptions = {},
): Promise<{ readonly inputs: AttentionInputs } & Pick<FileTensors, 'tokens' | 'notes'>> {
  const { inputs: source, shape } = params;
  if (source.source !== 'file') throw new Error('the inputs come from a seed, not a file');
  if (file === undefined) throw new Error('needs a file: choose one for this cell');
  const { tokens, notes, ...tensors } = await readFileTensors(file, source, shape, options);
  return { inputs: { shape, ...tensors, program: makeProgram(params) }, tokens, notes };
}

/** [batch, positions, heads, headSize] as [batch, heads, positions, headSize]. */
function headMajor(
  values: Float32Array,
  batch: number,
  positions: number,
  heads: number,
  headSize: number,
): Float32Array {
  if (heads === 1) return values;
  const out = new Float32Array(values.length);
  let from = 0;
  for (let b = 0; b < batch; b++) {
    for (let n = 0; n < positions; n++) {
      for (let h = 0; h < heads; h++) {
        out.set(
          values.subarray(from, from + headSize),
          ((b * heads + h) * positions + n) * headSize,
        );
        from += headSize;
      }
    }
  }
  return out;
}

/** Tokens of the metadata, a JSON list of strings; a note where they do not fit. */
function readTokens(
  { metadata }: TensorHeader,
  keys: number,
): { readonly tokens: readonly string[] | undefined; readonly note: string | undefined } {
  const text = metadata.get('tokens');
  if (text === undefined) return { tokens: undefined, note: undefined };
  let list: unknown;
  try {
    list = JSON.parse(text);
  } catch {
    list = undefined;
  }
  if (!Array.isArray(list) || !list.every((token) => typeof token === 'string')) {
    return {
      tokens: undefined,
      note: "the file's tokens were left out: not a JSON list of strings",
    };
  }
  return list.length === keys
    ? { tokens: list, note: undefined }
    : {
        tokens: undefined,
        note: `the file's tokens were left out: ${list.length} of them (expected ${keys}, one per key)`,
      };
}
