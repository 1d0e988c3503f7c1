import { canonicalParams } from '../spec/canonical';
import { topologicalOrder } from '../spec/graph';
import type { Cell, Notebook } from '../spec/notebook';
import { type FileIdentity, identityOf } from './file-identity';
import { isJobCell, KIND_VERSIONS, neededFileName } from './job-kinds';

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
    canonicalParams(cell),
    reads === undefined ? 'no file' : identityOf(reads),
  ]);
}

/** All cells, inputs before their users; cells on a cycle, which validation refuses, come last. */
export function inputsFirst(notebook: Notebook): readonly Cell[] {
  const order = topologicalOrder(notebook.cells);
  if (order.length === notebook.cells.length) return order;
  const placed = new Set(order);
  return [...order, ...notebook.cells.filter((cell) => !placed.has(cell))];
}

/**
 * Folds a value over the cells, inputs first: `fold(cell, values of its inputs)`. An input that is
 * not there contributes `missing`.
 */
export function foldInputs<T>(
  notebook: Notebook,
  missing: T,
  fold: (cell: Cell, inputs: readonly T[]) => T,
): ReadonlyMap<string, T> {
  const done = new Map<string, T>();
  for (const cell of inputsFirst(notebook)) {
    const inputs = cell.inputs.map((id) => done.get(id) ?? missing);
    done.set(cell.id, fold(cell, inputs));
  }
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
