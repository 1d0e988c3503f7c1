import { parseFileBytes } from '../spec/file-text';
import type { Notebook } from '../spec/notebook';
import { readBytes } from './files';

/** A notebook file, with the line that each cell begins on. */
export interface NotebookFile {
  readonly notebook: Notebook;
  readonly cellLines: ReadonlyMap<string, number>;
}

/** Reads a notebook file, or gives every issue as `file:line: message`. */
export async function readNotebook(
  file: string,
): Promise<NotebookFile | { readonly errors: readonly string[] }> {
  let bytes: Uint8Array;
  try {
    bytes = await readBytes(file);
  } catch (error) {
    return { errors: [(error as Error).message] };
  }
  const parsed = parseFileBytes('the file', bytes);
  if (parsed.ok) return parsed;
  return { errors: parsed.issues.map(({ line, message }) => `${file}:${line}: ${message}`) };
}

/** The notebook of a file. @throws Error with every issue, one a line */
export async function notebookOf(file: string): Promise<NotebookFile> {
  const read = await readNotebook(file);
  if ('errors' in read) throw new Error(read.errors.join('\n'));
  return read;
}
