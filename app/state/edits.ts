import type { SpecIssue } from '../../lib/spec/issues';
import { printMarkdown } from '../../lib/spec/markdown';
import {
  type Cell,
  type CellKind,
  cellSchema,
  INPUT_RULES,
  type Notebook,
} from '../../lib/spec/notebook';
import { parseNotebook } from '../../lib/spec/validate';

export type EditResult =
  | { readonly ok: true; readonly notebook: Notebook }
  | { readonly ok: false; readonly issues: readonly SpecIssue[] };

/** A document after an edit, or why it would not be one. Nothing is ever half-applied. */
function checked(notebook: unknown): EditResult {
  return parseNotebook(notebook);
}

function replaceCell(notebook: Notebook, id: string, change: (cell: Cell) => unknown): EditResult {
  return checked({
    ...notebook,
    cells: notebook.cells.map((cell) => (cell.id === id ? change(cell) : cell)),
  });
}

/** A copy of `value` with the field or the item of a list at `path` replaced. */
export function setAt(value: unknown, path: readonly string[], next: unknown): unknown {
  const [key, ...rest] = path;
  if (key === undefined) return next;
  if (Array.isArray(value)) {
    return value.map((item: unknown, i) => (String(i) === key ? setAt(item, rest, next) : item));
  }
  const object = (typeof value === 'object' && value !== null ? value : {}) as Record<
    string,
    unknown
  >;
  return { ...object, [key]: setAt(object[key], rest, next) };
}

export function editParam(
  notebook: Notebook,
  id: string,
  path: readonly string[],
  value: unknown,
): EditResult {
  return replaceCell(notebook, id, (cell) => ({
    ...cell,
    params: setAt(cell.params, path, value),
  }));
}

export function setParams(notebook: Notebook, id: string, params: unknown): EditResult {
  return replaceCell(notebook, id, (cell) => ({ ...cell, params }));
}

export function setInputs(notebook: Notebook, id: string, inputs: readonly string[]): EditResult {
  return replaceCell(notebook, id, (cell) => ({ ...cell, inputs }));
}

/** Renames a cell and every reference to it. */
export function renameCell(notebook: Notebook, from: string, to: string): EditResult {
  return checked({
    ...notebook,
    cells: notebook.cells.map((cell) => ({
      ...cell,
      id: cell.id === from ? to : cell.id,
      inputs: cell.inputs.map((input) => (input === from ? to : input)),
    })),
  });
}

export function moveCell(notebook: Notebook, id: string, by: -1 | 1): EditResult {
  const cells = [...notebook.cells];
  const at = cells.findIndex((cell) => cell.id === id);
  const to = at + by;
  if (at < 0 || to < 0 || to >= cells.length) return { ok: true, notebook };
  const [cell] = cells.splice(at, 1);
  if (cell !== undefined) cells.splice(to, 0, cell);
  return checked({ ...notebook, cells });
}

/** Deletes a cell and its edges; a view that loses its only input goes with it. */
export function deleteCell(notebook: Notebook, id: string): EditResult {
  let gone = new Set([id]);
  for (;;) {
    const left = notebook.cells
      .filter((cell) => !gone.has(cell.id))
      .map((cell) => ({ ...cell, inputs: cell.inputs.filter((input) => !gone.has(input)) }));
    const orphans = left.filter((cell) => cell.inputs.length < INPUT_RULES[cell.kind].count[0]);
    if (orphans.length === 0) return checked({ ...notebook, cells: left });
    gone = new Set([...gone, ...orphans.map((cell) => cell.id)]);
  }
}

export function freeId(notebook: Notebook, stem: string): string {
  const taken = new Set(notebook.cells.map((cell) => cell.id));
  for (let n = 1; ; n++) {
    const id = n === 1 ? stem : `${stem}-${n}`;
    if (!taken.has(id)) return id;
  }
}

export function duplicateCell(notebook: Notebook, id: string): EditResult {
  const at = notebook.cells.findIndex((cell) => cell.id === id);
  const cell = notebook.cells[at];
  if (cell === undefined) return { ok: true, notebook };
  const copy = { ...cell, id: freeId(notebook, `${cell.id.slice(0, 24)}-copy`) };
  return checked({ ...notebook, cells: notebook.cells.toSpliced(at + 1, 0, copy) });
}

/** Why a cell of this kind cannot be added yet, or undefined. */
export function missingInput(notebook: Notebook, kind: CellKind): string | undefined {
  const { kinds, count } = INPUT_RULES[kind];
  if (count[0] === 0 || notebook.cells.some((cell) => kinds.includes(cell.kind))) return undefined;
  return `needs a cell of kind ${kinds.join(' or ')} first`;
}

/** Adds a cell after `afterId` (or at the end), connected to the nearest cells that it can take. */
export function addCell(
  notebook: Notebook,
  kind: CellKind,
  afterId: string | undefined,
): EditResult {
  const at =
    afterId === undefined
      ? notebook.cells.length
      : notebook.cells.findIndex((cell) => cell.id === afterId) + 1;
  const { kinds, count } = INPUT_RULES[kind];
  const eligible = notebook.cells
    .filter((cell) => kinds.includes(cell.kind))
    .map((cell) => cell.id);
  // A map of two compares them, which one asks for.
  const inputs =
    count[1] === 1 || kind === 'map' ? eligible.slice(-1) : eligible.slice(0, count[1]);
  const cell = cellSchema.parse({ id: freeId(notebook, kind), kind, inputs });
  return checked({ ...notebook, cells: notebook.cells.toSpliced(at, 0, cell) });
}

/** Appends cells as they are; their ids must be free. */
export function appendCells(notebook: Notebook, cells: readonly unknown[]): EditResult {
  return checked({ ...notebook, cells: [...notebook.cells, ...cells] });
}

export function fileNameOf(notebook: Notebook): string {
  const stem = notebook.title
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '');
  return `${stem || 'notebook'}.md`;
}

export function fileTextOf(notebook: Notebook): string {
  return printMarkdown(notebook);
}
