import type { ByteSource } from './byte-source';
import { DTYPE_BITS, type Dtype, elementsOf, isDtype } from './dtype';
import { parseStrictJson, type StrictJson } from './strict-json';

/** Largest header that is read; real ones have some kilobytes. */
export const MAX_HEADER_BYTES = 16 * 2 ** 20;
const LENGTH_BYTES = 8;
/** Header, tensor, array. */
const MAX_JSON_DEPTH = 3;
const METADATA = '__metadata__';

/** One tensor of a file; row-major, little-endian. */
export interface TensorEntry {
  readonly name: string;
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  /** Bytes [start, end) of the file. */
  readonly start: number;
  readonly end: number;
}

/** What a safetensors file says of itself. */
export interface TensorHeader {
  readonly tensors: ReadonlyMap<string, TensorEntry>;
  readonly metadata: ReadonlyMap<string, string>;
}

/**
 * Reads the header of a safetensors file (8 bytes little-endian length, JSON, data) and checks it
 * against the file: nothing but the header is read. Tensors must fill the data without overlap or
 * gap, as the format demands.
 *
 * @throws Error with one sentence that names the tensor and the value
 */
export async function readTensorHeader(file: ByteSource): Promise<TensorHeader> {
  if (file.size < LENGTH_BYTES) {
    throw new Error(
      `not a safetensors file: ${file.size} bytes (expected at least ${LENGTH_BYTES}, the header's length)`,
    );
  }
  const lengthBytes = await file.slice(0, LENGTH_BYTES).arrayBuffer();
  const declared = new DataView(lengthBytes).getBigUint64(0, true);
  if (declared > BigInt(MAX_HEADER_BYTES)) {
    throw new Error(
      `not a safetensors file, or damaged: a header of ${declared} bytes (expected at most ${MAX_HEADER_BYTES})`,
    );
  }
  const headerBytes = Number(declared);
  const dataStart = LENGTH_BYTES + headerBytes;
  if (dataStart > file.size) {
    throw new Error(
      `the file is cut off: its header ends at byte ${dataStart}, the file at byte ${file.size}`,
    );
  }
  const bytes = await file.slice(LENGTH_BYTES, dataStart).arrayBuffer();
  const root = parseStrictJson(decode(bytes), MAX_JSON_DEPTH);
  if (!isFields(root)) throw new Error('invalid header: expected a JSON object of tensors');
  const tensors = new Map<string, TensorEntry>();
  let metadata: ReadonlyMap<string, string> = new Map();
  for (const [name, value] of root) {
    if (name === METADATA) metadata = readMetadata(value);
    else tensors.set(name, readEntry(name, value, dataStart, file.size));
  }
  checkCoverage([...tensors.values()], dataStart, file.size);
  return { tensors, metadata };
}

function decode(bytes: ArrayBuffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new Error('not a safetensors file, or damaged: the header is not UTF-8 text');
  }
}

function isFields(value: StrictJson | undefined): value is ReadonlyMap<string, StrictJson> {
  return value instanceof Map;
}

/** A value as it stands in a sentence. */
function show(value: StrictJson | undefined): string {
  if (value === undefined) return 'nothing';
  const text = isFields(value) ? 'an object' : JSON.stringify(value);
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}

function readMetadata(value: StrictJson): ReadonlyMap<string, string> {
  if (!isFields(value)) {
    throw new Error(`invalid ${METADATA}: ${show(value)} (expected an object of strings)`);
  }
  const metadata = new Map<string, string>();
  for (const [name, text] of value) {
    if (typeof text !== 'string') {
      throw new Error(
        `invalid ${METADATA} ${JSON.stringify(name)}: ${show(text)} (expected a string)`,
      );
    }
    metadata.set(name, text);
  }
  return metadata;
}

/** Non-negative integers that a double holds exactly, or undefined. */
function readSizes(value: StrictJson | undefined): readonly number[] | undefined {
  if (!Array.isArray(value)) return undefined;
  const isSize = (item: unknown): item is number =>
    typeof item === 'number' && Number.isSafeInteger(item) && item >= 0;
  return value.every(isSize) ? value : undefined;
}

function readEntry(
  name: string,
  value: StrictJson,
  dataStart: number,
  fileBytes: number,
): TensorEntry {
  const fail = (why: string): never => {
    throw new Error(`tensor ${JSON.stringify(name)}: ${why}`);
  };
  if (!isFields(value)) return fail(`invalid entry: ${show(value)} (expected an object)`);
  const unknown = [...value.keys()].find(
    (key) => key !== 'dtype' && key !== 'shape' && key !== 'data_offsets',
  );
  if (unknown !== undefined) fail(`unknown field ${JSON.stringify(unknown)}`);
  const dtype = value.get('dtype');
  if (typeof dtype !== 'string' || !isDtype(dtype)) {
    const known = Object.keys(DTYPE_BITS).join(', ');
    return fail(`invalid dtype: ${show(dtype)} (expected one of ${known})`);
  }
  const shape = readSizes(value.get('shape'));
  if (shape === undefined) {
    return fail(`invalid shape: ${show(value.get('shape'))} (expected a list of integers from 0)`);
  }
  const offsets = readSizes(value.get('data_offsets'));
  const [begin, end] = offsets ?? [];
  if (offsets?.length !== 2 || begin === undefined || end === undefined || begin > end) {
    return fail(
      `invalid data_offsets: ${show(value.get('data_offsets'))} (expected [begin, end], begin at most end)`,
    );
  }
  const dataBytes = fileBytes - dataStart;
  if (end > dataBytes) {
    fail(
      `data_offsets [${begin}, ${end}] end after the file's ${dataBytes} bytes of data: the file is cut off or damaged`,
    );
  }
  const bits = elementsOf(shape) * DTYPE_BITS[dtype];
  if (!Number.isSafeInteger(bits) || bits !== 8 * (end - begin)) {
    fail(
      `${end - begin} bytes of data (expected ${bits / 8} for ${dtype} of shape [${shape.join(', ')}])`,
    );
  }
  return { name, dtype, shape, start: dataStart + begin, end: dataStart + end };
}

function checkCoverage(
  tensors: readonly TensorEntry[],
  dataStart: number,
  fileBytes: number,
): void {
  const sorted = [...tensors].sort((a, b) => a.start - b.start || a.end - b.end);
  let end = dataStart;
  let last = 'the header';
  for (const tensor of sorted) {
    const name = `tensor ${JSON.stringify(tensor.name)}`;
    if (tensor.start < end) {
      throw new Error(`${name} overlaps ${last} in bytes ${tensor.start}..${end - 1} of the file`);
    }
    if (tensor.start > end) {
      throw new Error(
        `bytes ${end}..${tensor.start - 1} of the file, between ${last} and ${name}, belong to no tensor`,
      );
    }
    end = tensor.end;
    last = name;
  }
  if (end < fileBytes) {
    throw new Error(
      `bytes ${end}..${fileBytes - 1} of the file, after ${last}, belong to no tensor`,
    );
  }
}
