import { type Cell, cellSchema, type Notebook, notebookSchema } from './notebook';

/** Deep equality of JSON values. */
export function equalJson(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (Array.isArray(a) !== Array.isArray(b)) return false;
  const keys = definedKeys(a);
  return (
    keys.length === definedKeys(b).length &&
    keys.every(
      (key) =>
        Object.hasOwn(b, key) &&
        equalJson((a as Record<string, unknown>)[key], (b as Record<string, unknown>)[key]),
    )
  );
}

function definedKeys(value: object): string[] {
  return Object.keys(value).filter((key) => (value as Record<string, unknown>)[key] !== undefined);
}

type JsonObject = { [key: string]: unknown };

/**
 * Drops every field that the schema fills in again. Each field is tried without and kept only where
 * the parsed document would differ, so unions and nested defaults need no rules of their own.
 */
function withoutDefaults(
  value: JsonObject,
  isSame: (candidate: JsonObject) => boolean,
): JsonObject {
  let current = value;
  for (const key of Object.keys(value)) {
    const { [key]: field, ...rest } = current;
    if (field === undefined || isSame(rest)) {
      current = rest;
    } else if (typeof field === 'object' && field !== null && !Array.isArray(field)) {
      const before = current;
      const smaller = withoutDefaults(field as JsonObject, (candidate) =>
        isSame({ ...before, [key]: candidate }),
      );
      current = { ...before, [key]: smaller };
    }
  }
  // Rebuild in the schema's order, which spreading has disturbed.
  return Object.fromEntries(
    Object.keys(value).flatMap((key) => (Object.hasOwn(current, key) ? [[key, current[key]]] : [])),
  );
}

/** A cell as JSON data with defaults omitted, keys in schema order. */
export function minimalCell(cell: Cell): JsonObject {
  const whole: Cell = cellSchema.parse(cell);
  return withoutDefaults(whole as unknown as JsonObject, (candidate) => {
    const parsed = cellSchema.safeParse(candidate);
    return parsed.success && equalJson(parsed.data, whole);
  });
}

/** The notebook as JSON data with defaults omitted, keys in schema order. `version` always stays. */
export function minimalNotebook(notebook: Notebook): JsonObject {
  const { format, version, title } = notebookSchema.parse({ ...notebook, cells: [] });
  const empty = notebookSchema.parse({});
  return {
    ...(format === empty.format ? {} : { format }),
    version,
    ...(title === empty.title ? {} : { title }),
    ...(notebook.cells.length === 0 ? {} : { cells: notebook.cells.map(minimalCell) }),
  };
}

/** The shortest JSON text that parses to the same notebook: what links carry. */
export function canonicalJson(notebook: Notebook): string {
  return JSON.stringify(minimalNotebook(notebook));
}

function sortKeys(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(sortKeys);
  const entries = Object.entries(value).filter(([, field]) => field !== undefined);
  return Object.fromEntries(
    entries.sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, field]) => [key, sortKeys(field)]),
  );
}

/** Params as one text, the same for equal params whatever their key order; defaults are included. For hashing. */
export function canonicalParams(cell: Pick<Cell, 'params'>): string {
  return JSON.stringify(sortKeys(cell.params));
}
