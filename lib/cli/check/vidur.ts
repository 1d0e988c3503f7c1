import { gunzipSync } from 'node:zlib';
import { checkVidurRun } from '../../serving/fidelity/vidur-parity';
import { atMost, command, readArguments } from '../command-line';
import { readBytes } from '../files';

export const VIDUR_USAGE = 'usage: headroom check vidur --tables T.json.gz --run R.json.gz';

async function readJson(path: string): Promise<unknown> {
  const bytes = await readBytes(path);
  try {
    const isGzip = bytes[0] === 0x1f && bytes[1] === 0x8b;
    return JSON.parse((isGzip ? gunzipSync(bytes) : bytes).toString('utf8'));
  } catch {
    throw new Error(`${path}: expected JSON, plain or gzip`);
  }
}

function readOptions(args: readonly string[]) {
  const { values, positionals } = readArguments(args, {
    tables: { type: 'string' },
    run: { type: 'string' },
  });
  atMost(positionals, 0);
  const { tables, run } = values;
  if (tables === undefined) throw new Error('missing --tables');
  if (run === undefined) throw new Error('missing --run');
  return { tables, run };
}

/** `check vidur`: prints one JSON line. */
export const checkVidur = command(VIDUR_USAGE, readOptions, async (options) => {
  const [tables, run] = [await readJson(options.tables), await readJson(options.run)];
  console.log(JSON.stringify(checkVidurRun(tables, run)));
  return 0;
});
