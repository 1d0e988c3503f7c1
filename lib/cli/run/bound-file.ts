import { openAsBlob } from 'node:fs';
import { access, constants, stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { neededFileName } from '../../run/job-kinds';
import { makeBundle } from '../../serving/cost/op-tables/bundle';
import type { Notebook } from '../../spec/notebook';
import { readTableFolder } from '../check/table-folder';
import type { Binding } from './options';

const paths = new WeakMap<File, string>();

/** Where a bound file lies: another process opens it by its path. */
export function pathOf(file: File): string {
  const path = paths.get(file);
  if (path === undefined) throw new Error(`not a bound file: ${file.name}`);
  return path;
}

/** The tables of a profile's folder as the one file that a cell is bound to. */
async function bundleFolder(folder: string): Promise<File> {
  return new File([JSON.stringify(makeBundle(await readTableFolder(folder)))], basename(folder));
}

/**
 * The file of a binding, read lazily, for a cell that reads one. A cell of operator tables may be
 * bound to a folder.
 * @throws Error `--bind CELL=PATH: ...`
 */
export async function openBoundFile({ cellId, path }: Binding, notebook: Notebook): Promise<File> {
  const fail = (why: string) => new Error(`--bind ${cellId}=${path}: ${why}`);
  const cell = notebook.cells.find(({ id }) => id === cellId);
  if (cell === undefined) {
    const ids = notebook.cells.filter((each) => neededFileName(each) !== undefined);
    const known = ids.map(({ id }) => `"${id}"`).join(', ') || 'none';
    throw fail(`unknown cell "${cellId}" (cells that read a file: ${known})`);
  }
  if (neededFileName(cell) === undefined) throw fail(`cell "${cellId}" reads no file`);
  const isProfile = cell.kind === 'serve' && cell.params.costModel.type === 'op-tables';
  const found = await stat(path).catch((error: NodeJS.ErrnoException) => {
    throw fail(`cannot read the file (${error.code ?? error})`);
  });
  if (isProfile && found.isDirectory()) {
    return bundleFolder(path).catch((error: Error) => {
      throw fail(error.message);
    });
  }
  try {
    await access(path, constants.R_OK);
    const { mtimeMs } = found;
    const file = new File([await openAsBlob(path)], basename(path), {
      lastModified: Math.round(mtimeMs),
    });
    paths.set(file, path);
    return file;
  } catch (error) {
    throw fail(`cannot read the file (${(error as NodeJS.ErrnoException).code ?? error})`);
  }
}
