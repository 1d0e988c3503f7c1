import { readFile } from 'node:fs/promises';

export type JsonObject = Readonly<Record<string, unknown>>;

/** @throws Error naming the file that cannot be read */
export async function readText(path: string): Promise<string> {
  return readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw new Error(`${path}: cannot read the file (${error.code})`);
  });
}

/** @throws Error naming the file that is no JSON object */
export async function readJsonObject(path: string): Promise<JsonObject> {
  return parseObject(await readText(path), path);
}

function parseObject(text: string, at: string): JsonObject {
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

/** The objects of a file of one JSON object a line; blank lines are left out. */
export async function readJsonLines(
  path: string,
): Promise<readonly { readonly line: number; readonly value: JsonObject }[]> {
  const text = await readText(path);
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
