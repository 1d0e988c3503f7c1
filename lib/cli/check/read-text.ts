import { readFile } from 'node:fs/promises';
import { type JsonObject, parseObject } from '../../serving/fidelity/json-lines';

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
