import type { ByteSource } from '../../tensors/byte-source';
import type { ByteRange, FetchRange, RangeReply } from './fetch-range';
import { asObject, field } from './json-fields';
import {
  CONFIG_FILE,
  GENERATION_FILE,
  INDEX_FILE,
  type ModelFiles,
  readJsonFile,
  TOKENIZER_CONFIG_FILE,
  TOKENIZER_FILE,
  WEIGHTS_FILE,
} from './model-files';

/** Of a file of weights, read at once to see how long it is; most headers are in it. */
const FIRST_BYTES = 256 * 1024;
/** Read at once after that: small tensors share a request, and cancelling waits for one at most. */
const AHEAD_BYTES = 16 * 2 ** 20;

export interface RemoteOptions {
  readonly fetchRange: FetchRange;
  /** Cancels every request, those of a later load too. */
  readonly signal?: AbortSignal;
}

/**
 * The files of a model in a folder of a server. JSON files are fetched; of the weights only the
 * beginning is, and the rest in ranges as it is read.
 *
 * @param base as `modelAddress` gives it
 * @throws Error, one sentence with the address, where the server cannot be reached, refuses, lacks a
 *   file or answers no ranges
 */
export async function remoteFiles(base: string, options: RemoteOptions): Promise<ModelFiles> {
  const files = new Map<string, ByteSource>();
  files.set(CONFIG_FILE, await fetchWhole(base + CONFIG_FILE, options));
  for (const name of [TOKENIZER_FILE, TOKENIZER_CONFIG_FILE, GENERATION_FILE]) {
    const file = await ifThere(fetchWhole(base + name, options));
    if (file !== undefined) files.set(name, file);
  }
  const weights = await ifThere(openRanged(base + WEIGHTS_FILE, options));
  if (weights !== undefined) return files.set(WEIGHTS_FILE, weights);
  const index = await ifThere(fetchWhole(base + INDEX_FILE, options));
  if (index === undefined) {
    throw new Error(`${base}: no "${WEIGHTS_FILE}" and no "${INDEX_FILE}" there`);
  }
  files.set(INDEX_FILE, index);
  for (const shard of await shardNames(files)) {
    const file = await ifThere(openRanged(base + encodeURIComponent(shard), options));
    if (file !== undefined) files.set(shard, file);
  }
  return files;
}

/** Files that the index names; whether they are file names is for the reader of the index to say. */
async function shardNames(files: ModelFiles): Promise<readonly string[]> {
  const index = asObject(await readJsonFile(files, INDEX_FILE), INDEX_FILE);
  const map = asObject(field(index, 'weight_map'), `${INDEX_FILE} weight_map`);
  const names = Object.values(map).filter((name) => typeof name === 'string');
  return [...new Set(names)].filter((name) => !name.includes('/')).sort();
}

class AbsentFile extends Error {}

async function ifThere<T>(file: Promise<T>): Promise<T | undefined> {
  try {
    return await file;
  } catch (error) {
    if (error instanceof AbsentFile) return undefined;
    throw error;
  }
}

async function ask(
  url: string,
  range: ByteRange | undefined,
  { fetchRange, signal }: RemoteOptions,
): Promise<RangeReply> {
  let reply: RangeReply;
  try {
    reply = await fetchRange(url, range, signal);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    throw new Error(
      `cannot read ${url}: no connection, or the server does not let other pages read it (CORS)`,
    );
  }
  const { status } = reply;
  if (status === 404 || status === 410)
    throw new AbsentFile(`${url}: no such file (HTTP ${status})`);
  if (status === 401 || status === 403) {
    throw new Error(
      `${url}: the server refuses (HTTP ${status}); the files of a private or gated model can be chosen from disk`,
    );
  }
  if (status !== 200 && status !== 206) throw new Error(`${url}: HTTP ${status}`);
  return reply;
}

async function fetchWhole(url: string, options: RemoteOptions): Promise<Blob> {
  const { bytes } = await ask(url, undefined, options);
  return new Blob([bytes]);
}

/** A file that is read in ranges, each beyond what was asked for, as readers go forward. */
async function openRanged(url: string, options: RemoteOptions): Promise<ByteSource> {
  const first = await ask(url, { start: 0, end: FIRST_BYTES }, options);
  if (first.status !== 206) {
    throw new Error(
      `${url}: the server answers no range requests (HTTP ${first.status}); the files can be downloaded and chosen from disk`,
    );
  }
  const size = first.totalBytes ?? (await ask(url, { start: 0, end: 0 }, options)).totalBytes;
  if (size === undefined) throw new Error(`${url}: the server does not tell the file's size`);
  let ahead = { start: 0, bytes: first.bytes };
  checkBytes(url, { start: 0, end: Math.min(FIRST_BYTES, size) }, first.bytes);

  async function read(start: number, end: number): Promise<ArrayBuffer> {
    const isAhead = start >= ahead.start && end <= ahead.start + ahead.bytes.byteLength;
    if (!isAhead) {
      const range = { start, end: Math.min(size!, Math.max(end, start + AHEAD_BYTES)) };
      const { bytes, totalBytes = size } = await ask(url, range, options);
      if (totalBytes !== size) {
        throw new Error(
          `${url}: the file changed while it was read (${size}, now ${totalBytes} bytes)`,
        );
      }
      checkBytes(url, range, bytes);
      ahead = { start, bytes };
    }
    return ahead.bytes.slice(start - ahead.start, end - ahead.start);
  }
  return {
    size,
    slice: (start, end) => ({ arrayBuffer: () => read(start, Math.min(end, size)) }),
  };
}

function checkBytes(url: string, { start, end }: ByteRange, bytes: ArrayBuffer): void {
  if (bytes.byteLength === end - start) return;
  throw new Error(
    `${url}: the answer is cut off: ${bytes.byteLength} bytes (expected ${end - start} from byte ${start})`,
  );
}
