import { readFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { gunzipSync } from 'node:zlib';
import { checkVidurRun } from '../../serving/fidelity/vidur-parity';

const USAGE = 'usage: headroom check vidur --tables T.json.gz --run R.json.gz';

async function readJson(path: string): Promise<unknown> {
  const bytes = await readFile(path).catch(() => {
    throw new Error(`${path}: cannot read the file`);
  });
  try {
    const isGzip = bytes[0] === 0x1f && bytes[1] === 0x8b;
    return JSON.parse((isGzip ? gunzipSync(bytes) : bytes).toString('utf8'));
  } catch {
    throw new Error(`${path}: expected JSON, plain or gzip`);
  }
}

async function checkVidur(args: string[]): Promise<number> {
  const { values } = parseArgs({
    args,
    options: { tables: { type: 'string' }, run: { type: 'string' } },
  });
  if (values.tables === undefined || values.run === undefined) {
    console.error(USAGE);
    return 2;
  }
  const [tables, run] = [await readJson(values.tables), await readJson(values.run)];
  console.log(JSON.stringify(checkVidurRun(tables, run)));
  return 0;
}

/** `check vidur` and `check vllm`: print one JSON line. @returns the exit code */
export async function checkCommand([what, ...args]: string[]): Promise<number> {
  switch (what) {
    case 'vidur':
      return checkVidur(args);
    case 'vllm':
      return (await import('../check/vllm')).checkVllm(args);
    case 'row':
      return (await import('../check/row')).checkRow(args);
    case 'silicon':
      return (await import('../check/silicon')).checkSilicon(args);
    default:
      console.error(
        [
          USAGE,
          (await import('../check/vllm')).VLLM_USAGE,
          (await import('../check/silicon')).SILICON_USAGE,
          (await import('../check/row')).ROW_USAGE,
        ].join('\n'),
      );
      return 2;
  }
}
