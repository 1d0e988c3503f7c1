import type { ByteSource } from '../../tensors/byte-source';

export const CONFIG_FILE = 'config.json';
export const TOKENIZER_FILE = 'tokenizer.json';
export const TOKENIZER_CONFIG_FILE = 'tokenizer_config.json';
export const GENERATION_FILE = 'generation_config.json';
export const WEIGHTS_FILE = 'model.safetensors';
export const INDEX_FILE = 'model.safetensors.index.json';

/** Most that is read of a JSON file; the largest tokenizers have some tens of MiB. */
const MAX_JSON_BYTES = 128 * 2 ** 20;

/** Files of one model, by their plain names. */
export type ModelFiles = ReadonlyMap<string, ByteSource>;

/** A file as a picker, a drop or a folder gives it. */
export interface PathedFile<File extends ByteSource = ByteSource> {
  /** With `/` between folders, such as `SmolLM-135M/config.json`. */
  readonly path: string;
  readonly file: File;
}

/**
 * The files of the folder that holds `config.json`; other folders, such as other formats of the same
 * weights, are left aside.
 *
 * @throws Error where no folder has one, or two at the same depth do
 */
export function gatherFiles<File extends ByteSource>(
  files: readonly PathedFile<File>[],
): ReadonlyMap<string, File> {
  const folderOf = (path: string) => path.slice(0, path.lastIndexOf('/') + 1);
  const depthOf = (folder: string) => folder.split('/').length;
  const folders = files
    .filter(({ path }) => path.slice(folderOf(path).length) === CONFIG_FILE)
    .map(({ path }) => folderOf(path))
    .sort((a, b) => depthOf(a) - depthOf(b));
  const [folder, other] = folders;
  if (folder === undefined) {
    const names = files.slice(0, 4).map(({ path }) => JSON.stringify(path));
    const among = names.length === 0 ? 'no file' : names.join(', ');
    throw new Error(
      `missing file: "${CONFIG_FILE}" (among ${among}${files.length > 4 ? ` and ${files.length - 4} more` : ''})`,
    );
  }
  if (other !== undefined && depthOf(other) === depthOf(folder)) {
    throw new Error(
      `two models: "${folder}${CONFIG_FILE}" and "${other}${CONFIG_FILE}" (expected one folder)`,
    );
  }
  return new Map(
    files
      .filter(({ path }) => folderOf(path) === folder)
      .map(({ path, file }) => [path.slice(folder.length), file]),
  );
}

/** @throws Error naming the file where it is absent */
export function fileNamed(files: ModelFiles, name: string): ByteSource {
  const file = files.get(name);
  if (file === undefined) throw new Error(`missing file: "${name}"`);
  return file;
}

/** @throws Error naming the file where it is absent, too large, or not JSON */
export async function readJsonFile(files: ModelFiles, name: string): Promise<unknown> {
  const file = fileNamed(files, name);
  if (file.size > MAX_JSON_BYTES) {
    throw new Error(`${name}: ${file.size} bytes (expected at most ${MAX_JSON_BYTES})`);
  }
  const bytes = await file.slice(0, file.size).arrayBuffer();
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)) as unknown;
  } catch (error) {
    throw new Error(`${name}: not JSON, or cut off: ${(error as Error).message}`);
  }
}
