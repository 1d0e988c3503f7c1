import { findCycle } from './graph';
import { formatPath, type SpecIssue, show, toSpecIssues } from './issues';
import { mapIssues } from './map-issues';
import {
  type Cell,
  cellSchema,
  INPUT_RULES,
  MAX_CELLS,
  NOTEBOOK_VERSION,
  type Notebook,
  notebookSchema,
} from './notebook';
import { schemaExpectation } from './ranges';
import { upgrade } from './upgrade';

export type ParsedNotebook =
  | { readonly ok: true; readonly notebook: Notebook }
  | { readonly ok: false; readonly issues: readonly SpecIssue[]; readonly newerVersion?: number };

export const MAX_DEPTH = 12;
const FORBIDDEN_KEYS = ['__proto__', 'constructor', 'prototype'];

/**
 * A document from anything: upgrades it, checks its shape and then its graph, and gives either the
 * notebook with every default filled in, or every issue at once.
 */
export function parseNotebook(value: unknown): ParsedNotebook {
  const hostile = findHostile(value, [], 0);
  if (hostile !== undefined) return { ok: false, issues: [hostile] };
  const upgraded = upgrade(value);
  if (upgraded.kind === 'newer') {
    const message = `this notebook is of version ${upgraded.version}, and this page reads up to version ${NOTEBOOK_VERSION}: reload the page for a newer one`;
    return {
      ok: false,
      issues: [{ path: 'version', message, value: upgraded.version }],
      newerVersion: upgraded.version,
    };
  }
  if (upgraded.kind === 'no-version') {
    const message = `invalid version: ${show(upgraded.value)} (expected 1..${NOTEBOOK_VERSION})`;
    return { ok: false, issues: [{ path: 'version', message, value: upgraded.value }] };
  }
  const { document } = upgraded;
  const parsed = notebookSchema.safeParse(document);
  if (parsed.success) {
    const placed = parsed.data.cells.map((cell, index) => ({ cell, index }));
    const issues = graphIssues({ placed, brokenIds: new Set() });
    return issues.length === 0 ? { ok: true, notebook: parsed.data } : { ok: false, issues };
  }
  const expectedAt = (path: readonly PropertyKey[]) => schemaExpectation(document, path);
  const issues = parsed.error.issues.flatMap((issue) => toSpecIssues(issue, document, expectedAt));
  return { ok: false, issues: [...issues, ...graphIssues(wellFormedCells(document))] };
}

interface PlacedCell {
  readonly cell: Cell;
  readonly index: number;
}

interface JudgedCells {
  readonly placed: readonly PlacedCell[];
  readonly brokenIds: ReadonlySet<unknown>;
}

/** Cells that are right by themselves, and the ids of the others: the graph judges only the former. */
function wellFormedCells(document: unknown): JudgedCells {
  const cells: unknown = (document as { cells?: unknown } | null)?.cells;
  const placed: PlacedCell[] = [];
  const brokenIds = new Set<unknown>();
  if (!Array.isArray(cells) || cells.length > MAX_CELLS) return { placed, brokenIds };
  cells.forEach((value: unknown, index) => {
    const parsed = cellSchema.safeParse(value);
    if (parsed.success) placed.push({ cell: parsed.data, index });
    else brokenIds.add((value as { id?: unknown } | null)?.id);
  });
  return { placed, brokenIds };
}

function graphIssues({ placed, brokenIds }: JudgedCells): SpecIssue[] {
  const issues: SpecIssue[] = [];
  const add = (path: readonly PropertyKey[], message: string, value: unknown) =>
    issues.push({ path: formatPath(path), message, value });
  const byId = new Map(placed.map(({ cell }) => [cell.id, cell]));

  for (const { cell, index } of placed) {
    const holders = placed.filter((other) => other.cell.id === cell.id);
    if (holders.length > 1) {
      add(
        ['cells', index, 'id'],
        `duplicate id: "${cell.id}" (also at ${holders
          .filter((other) => other.index !== index)
          .map((other) => `cells[${other.index}]`)
          .join(', ')})`,
        cell.id,
      );
    }
    const { kinds, count } = INPUT_RULES[cell.kind];
    if (cell.inputs.length < count[0] || cell.inputs.length > count[1]) {
      const wanted = count[0] === count[1] ? `${count[0]}` : `${count[0]}..${count[1]}`;
      add(
        ['cells', index, 'inputs'],
        `invalid inputs: ${cell.inputs.length} given (expected ${wanted}${kinds.length > 0 ? ` of kind ${kinds.join(' or ')}` : ''})`,
        cell.inputs,
      );
    }
    cell.inputs.forEach((id, i) => {
      const input = byId.get(id);
      const path = ['cells', index, 'inputs', i];
      if (cell.inputs.indexOf(id) !== i) add(path, `duplicate input: "${id}"`, id);
      // A broken cell has been complained about by itself.
      else if (input === undefined && brokenIds.has(id)) return;
      else if (input === undefined) add(path, `unknown input: "${id}" (no cell has this id)`, id);
      else if (kinds.length > 0 && !kinds.includes(input.kind)) {
        add(
          path,
          `invalid input: "${id}" is of kind ${input.kind} (expected ${kinds.join(' or ')})`,
          id,
        );
      }
    });
    if (cell.kind === 'map') {
      for (const { path, message, value } of mapIssues(cell, byId))
        add(['cells', index, ...path], message, value);
    }
  }
  const cycle = findCycle(placed.map(({ cell }) => cell));
  if (cycle !== undefined) {
    const at = placed.find(({ cell }) => cell.id === cycle[0])?.index ?? 0;
    add(['cells', at, 'inputs'], `cyclic inputs: ${cycle.join(' <- ')}`, cycle);
  }
  return issues;
}

/** Keys that could reach a prototype, and nesting beyond any real document. */
function findHostile(
  value: unknown,
  path: readonly PropertyKey[],
  depth: number,
): SpecIssue | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  if (depth >= MAX_DEPTH) {
    return {
      path: formatPath(path),
      message: `nested deeper than ${MAX_DEPTH} levels`,
      value: undefined,
    };
  }
  for (const key of Object.keys(value)) {
    const at = [...path, Array.isArray(value) ? Number(key) : key];
    if (FORBIDDEN_KEYS.includes(key)) {
      return {
        path: formatPath(at),
        message: `forbidden field ${JSON.stringify(key)}`,
        value: undefined,
      };
    }
    const found = findHostile((value as Record<string, unknown>)[key], at, depth + 1);
    if (found !== undefined) return found;
  }
  return undefined;
}
