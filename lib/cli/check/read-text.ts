import { type JsonObject, parseObject } from '../../serving/fidelity/json-lines';
import { readBytes } from '../files';

/** @throws Error naming the file that cannot be read */
export async function readText(path: string): Promise<string> {
  return (await readBytes(path)).toString('utf8');
}

/** @throws Error naming the file that is no JSON object */
export async function readJsonObject(path: string): Promise<JsonObject> {
  return parseObject(await readText(path), path);
}
