import { openAsBlob } from 'node:fs';
import { readdir, stat, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { type CalibrateChoices, calibrateFiles } from '../../run/calibrate-files';
import type { NamedFile } from '../../run/file-text';
import { coefficientsOf } from '../../serving/calibrate/coefficients';
import type { CalibrationResult } from '../../serving/calibrate/fit-profile';
import { profileFileText } from '../../serving/calibrate/profile-file';
import { MODEL_IDS } from '../../spec/presets';
import { atMost, command, countOf, readArguments } from '../command-line';
import { assertWritable } from '../files';

const USAGE = `usage: headroom calibrate --tables DIR | --log FILE [--out profile.json] [--json]
  --tables DIR         operator tables in LLMServingSim's layout, or AIConfigurator's *_perf.csv(.gz)
  --log FILE           JSON lines of requests, or the folder of a run with its meta.json
  --model ID           the model, where the files do not name it: ${MODEL_IDS.join(', ')}
  --tp N --gpu NAME --kv-blocks N --max-batched-tokens N --max-sequences N --gemm bfloat16|fp8
                       what the files do not say`;

/** Folders within the given one: a profile has one for each tensor-parallel degree. */
async function filesOf(path: string): Promise<readonly NamedFile[]> {
  const cannot = (error: NodeJS.ErrnoException): never => {
    throw new Error(`${path}: cannot read it (${error.code ?? error.message})`);
  };
  const found = await stat(path).catch(cannot);
  if (!found.isDirectory()) return [{ path: basename(path), file: await openAsBlob(path) }];
  const list = await readdir(path, { recursive: true, withFileTypes: true }).catch(cannot);
  return Promise.all(
    list
      .filter((entry) => entry.isFile())
      .map(async (entry) => {
        const full = join(entry.parentPath, entry.name);
        const inner = full.slice(path.replace(/\/$/, '').length + 1);
        return { path: `${basename(path)}/${inner}`, file: await openAsBlob(full) };
      }),
  );
}

function oneOf<T extends string>(
  name: string,
  text: string | undefined,
  values: readonly T[],
): T | undefined {
  if (text === undefined) return undefined;
  const found = values.find((value) => value === text);
  if (found === undefined)
    throw new Error(`invalid --${name}: ${text} (expected ${values.join(', ')})`);
  return found;
}

function print({ profile, parts, dropped, notes }: CalibrationResult): void {
  console.log(`${profile.label}: ${profile.source}`);
  for (const { part, name, value, unit } of coefficientsOf(profile))
    console.log(`  ${part}, ${name}: ${value} ${unit}`);
  console.log('errors of the rows held out: rows, median %, 90 % below, mean signed %');
  for (const { part, heldOut, medianPct, p90Pct, meanSignedPct } of parts)
    console.log(`  ${part}: ${heldOut}, ${medianPct}, ${p90Pct}, ${meanSignedPct}`);
  for (const { reason, rows } of dropped) console.log(`  ${rows} rows dropped: ${reason}`);
  for (const note of notes) console.log(`  ${note}`);
}

function readOptions(args: readonly string[]) {
  const { values, positionals } = readArguments(args, {
    tables: { type: 'string' },
    log: { type: 'string' },
    out: { type: 'string' },
    json: { type: 'boolean', default: false },
    model: { type: 'string' },
    tp: { type: 'string' },
    gpu: { type: 'string' },
    gemm: { type: 'string' },
    'kv-blocks': { type: 'string' },
    'max-batched-tokens': { type: 'string' },
    'max-sequences': { type: 'string' },
  });
  atMost(positionals, 0);
  const from = values.tables ?? values.log;
  if (from === undefined || (values.tables !== undefined && values.log !== undefined))
    throw new Error('expected either --tables or --log');
  const choices: CalibrateChoices = {
    model: oneOf('model', values.model, MODEL_IDS),
    tensorParallel: countOf('--tp', values.tp),
    gpu: values.gpu,
    gemm: oneOf('gemm', values.gemm, ['bfloat16', 'fp8']),
    kvBlocks: countOf('--kv-blocks', values['kv-blocks']),
    maxBatchedTokens: countOf('--max-batched-tokens', values['max-batched-tokens']),
    maxSequences: countOf('--max-sequences', values['max-sequences']),
  };
  return { from, choices, out: values.out, isJson: values.json };
}

/** `headroom calibrate`: fits a hardware profile and prints it, or its summary as one JSON line. */
export const calibrateCommand = command(USAGE, readOptions, async (options) => {
  const { from, choices, out, isJson } = options;
  const files = await filesOf(from);
  if (out !== undefined) await assertWritable(out);
  const signal = new AbortController().signal;
  const result = await calibrateFiles(files, choices, signal, () => undefined);
  const { profile, parts, dropped, notes } = result;
  if (out !== undefined) await writeFile(out, profileFileText(profile));
  if (isJson) console.log(JSON.stringify({ profile, parts, dropped, notes }));
  else print(result);
  return 0;
});
