import { join } from 'node:path';
import { type MeasuredRun, measuredRun, parseRunRows } from '../../serving/fidelity/measured-run';
import { readJsonObject, readText } from './read-text';

/**
 * Reads `meta.json` and `requests.jsonl` of a folder.
 *
 * @param tokensPath JSON lines of the same requests, see `measuredRun`
 * @throws Error naming file, line and field
 */
export async function readMeasuredRun(
  folder: string,
  tokensPath: string | undefined,
): Promise<MeasuredRun> {
  const meta = await readJsonObject(join(folder, 'meta.json'));
  const path = join(folder, 'requests.jsonl');
  const rows = parseRunRows({ path, text: await readText(path) });
  const tokens =
    tokensPath === undefined ? undefined : { path: tokensPath, text: await readText(tokensPath) };
  return measuredRun(folder, meta, rows, tokens);
}
