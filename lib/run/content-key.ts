import type { Cell, Notebook } from '../spec/notebook';
import { isJobCell, KIND_VERSIONS, neededFileName } from './job-kinds';

/** What makes a bound file the same file, as far as a page can tell without reading it. */
export interface FileIdentity {
  readonly name: string;
  readonly size: number;
  readonly lastModified: number;
}

/**
 * Everything that a cell's result depends on except its inputs: kind, kind version, canonical
 * params and the identity of the file it reads.
 */
export function ownContent(cell: Cell, file: FileIdentity | undefined): string {
  const version = isJobCell(cell) ? KIND_VERSIONS[cell.kind] : 0;
  const reads = neededFileName(cell) === undefined ? undefined : file;
  return JSON.stringify([
    cell.kind,
    version,
    cell.params,
    reads === undefined ? 'no file' : [reads.name, reads.size, reads.lastModified],
  ]);
}

/**
 * Folds a value over the cells, inputs first: `fold(cell, values of its inputs)`. An input that is
 * missing or closes a cycle contributes `missing`.
 */
export function foldInputs<T>(
  notebook: Notebook,
  missing: T,
  fold: (cell: Cell, inputs: readonly T[]) => T,
): ReadonlyMap<string, T> {
  const cells = new Map(notebook.cells.map((cell) => [cell.id, cell]));
  const done = new Map<string, T>();
  const open = new Set<string>();
  const visit = (id: string): T => {
    const known = done.get(id);
    if (known !== undefined) return known;
    const cell = cells.get(id);
    if (cell === undefined || open.has(id)) return missing;
    open.add(id);
    const value = fold(cell, cell.inputs.map(visit));
    open.delete(id);
    done.set(id, value);
    return value;
  };
  for (const cell of notebook.cells) visit(cell.id);
  return done;
}

/**
 * A text per cell that is equal exactly when the results are: own content and that of all
 * ancestors. Synchronous and collision-free, so an undo finds its result at once; `specHash` is
 * the short form that is written down.
 */
export function contentKeys(
  notebook: Notebook,
  files: ReadonlyMap<string, FileIdentity>,
): ReadonlyMap<string, string> {
  return foldInputs(notebook, 'missing', (cell, inputs) =>
    JSON.stringify([ownContent(cell, files.get(cell.id)), ...inputs]),
  );
}
