export type JsonObject = Readonly<Record<string, unknown>>;

/** A line of a file, and where it stands. */
export interface JsonLine {
  readonly line: number;
  readonly value: JsonObject;
}

/** @throws Error naming the place of what is no JSON object */
export function parseObject(text: string, at: string): JsonObject {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new Error(`${at}: expected JSON`);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new Error(`${at}: expected a JSON object`);
  return value as JsonObject;
}

/**
 * The objects of a text of one JSON object a line; blank lines are left out.
 *
 * @param path of the file, for messages
 * @throws Error naming file and line
 */
export function parseJsonLines(path: string, text: string): readonly JsonLine[] {
  const rows = text
    .split('\n')
    .flatMap((line, i) =>
      line.trim() === ''
        ? []
        : [{ line: i + 1, value: parseObject(line, `${path}: line ${i + 1}`) }],
    );
  if (rows.length === 0) throw new Error(`${path}: the file has no line`);
  return rows;
}

/** @throws Error naming file, line and field of what is no finite number */
export function numberField(path: string, line: number, value: JsonObject, field: string): number {
  const found = value[field];
  if (typeof found !== 'number' || !Number.isFinite(found)) {
    throw new Error(
      `${path}: line ${line}: invalid ${field}: ${JSON.stringify(found)} (expected a number)`,
    );
  }
  return found;
}

/** @throws Error naming file, line and field of what is no integer from 1 */
export function countField(path: string, line: number, value: JsonObject, field: string): number {
  const found = value[field];
  if (typeof found !== 'number' || !Number.isInteger(found) || found < 1) {
    throw new Error(
      `${path}: line ${line}: invalid ${field}: ${JSON.stringify(found)} (expected an integer from 1)`,
    );
  }
  return found;
}
