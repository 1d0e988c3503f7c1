import { readFile } from 'node:fs/promises';
import { parseFile } from '../../spec/markdown';
import type { Notebook } from '../../spec/notebook';

/** Reads a notebook file, or gives every issue as `file:line: message`. */
export async function readNotebook(
  file: string,
): Promise<{ notebook: Notebook } | { errors: string[] }> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    return {
      errors: [`${file}:1: cannot read the file (${(error as NodeJS.ErrnoException).code})`],
    };
  }
  const parsed = parseFile(text);
  if (parsed.ok) return { notebook: parsed.notebook };
  return { errors: parsed.issues.map(({ line, message }) => `${file}:${line}: ${message}`) };
}

/** `headroom validate FILE...`: says of every file whether it is a notebook, and why not. */
export async function validateCommand(files: readonly string[]): Promise<number> {
  if (files.length === 0) {
    console.error('usage: headroom validate FILE...');
    return 2;
  }
  let code = 0;
  for (const file of files) {
    const read = await readNotebook(file);
    if ('errors' in read) {
      code = 1;
      for (const line of read.errors) console.error(line);
    } else {
      console.log(`${file}: valid, ${read.notebook.cells.length} cells`);
    }
  }
  return code;
}
