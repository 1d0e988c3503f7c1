import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { checkVllm } from '../../../lib/cli/check/vllm';
import { calibrateCommand } from '../../../lib/cli/commands/calibrate';
import { calibrateFiles } from '../../../lib/run/calibrate-files';
import { profileFileText } from '../../../lib/serving/calibrate/profile-file';
import { madeUpProfile } from '../serving/made-up-profile';
import { madeUpSilicon } from '../serving/made-up-silicon';
import { madeUpRows, madeUpRun, writeFolder } from './made-up-run';

const calibrate = (files: Readonly<Record<string, string | Uint8Array<ArrayBuffer>>>) =>
  calibrateFiles(
    Object.entries(files).map(([path, text]) => ({ path, file: new Blob([text]) })),
    { model: 'llama-3.1-8b' },
    new AbortController().signal,
    () => undefined,
  );

afterEach(() => {
  vi.restoreAllMocks();
});

describe('headroom calibrate', () => {
  it('writes a profile that check vllm then runs on', async () => {
    const log = vi.spyOn(console, 'log').mockImplementation(() => undefined);
    const folder = writeFolder(madeUpProfile());
    const out = join(folder, 'profile.json');
    expect(await calibrateCommand(['--tables', folder, '--out', out, '--json'])).toBe(0);
    const printed = JSON.parse(String(log.mock.calls[0]?.[0]));
    expect(readFileSync(out, 'utf8')).toBe(profileFileText(printed.profile));
    const rows = madeUpRows();
    const times = {
      first: rows.map(({ arrival }) => arrival + 0.1),
      last: rows.map(({ arrival, output }) => arrival + 0.1 + 0.02 * output),
    };
    const run = writeFolder(madeUpRun(rows, times, 1));
    log.mockClear();
    expect(await checkVllm(['--run', run, '--profile', out])).toBe(0);
    const found = JSON.parse(String(log.mock.calls[0]?.[0]));
    expect(found.costModel).toMatch(/^fitted profile, Llama 3.1 8B/);
    expect(found.requests).toBe(24);
    const error = vi.spyOn(console, 'error').mockImplementation(() => undefined);
    expect(await checkVllm(['--run', run, '--profile', out, '--tables', folder])).toBe(2);
    expect(error.mock.lastCall?.[0]).toMatch(/^both --profile and --tables/);
  });

  it('prints every cost with its unit, and its usage for a wrong line', async () => {
    const log = vi.spyOn(console, 'log').mockImplementation(() => undefined);
    const error = vi.spyOn(console, 'error').mockImplementation(() => undefined);
    expect(await calibrateCommand(['--tables', writeFolder(madeUpProfile())])).toBe(0);
    expect(log.mock.calls.join('\n')).toMatch(/down projection, base: 100 \u00b5s\n/);
    expect(await calibrateCommand([])).toBe(2);
    expect(error).toHaveBeenCalledOnce();
    expect(await calibrateCommand(['--tables', 'nowhere-at-all'])).toBe(1);
    expect(error.mock.lastCall?.[0]).toBe('nowhere-at-all: cannot read it (ENOENT)');
    expect(await calibrateCommand(['--log', 'x', '--tp', '0'])).toBe(2);
    expect(error.mock.lastCall?.[0]).toMatch(/^invalid --tp: 0/);
  });
});

describe('chosen files', () => {
  it('may be gzip, and a saved profile is read again', async () => {
    const texts = madeUpSilicon();
    const zipped = Object.fromEntries(
      Object.entries(texts).map(([name, text]) => [
        `${name}.csv.gz`,
        new Uint8Array(gzipSync(text ?? '')),
      ]),
    );
    const { profile } = await calibrate(zipped);
    expect(profile.source).toMatch(/AIConfigurator/);
    const again = await calibrate({ 'profile.json': profileFileText(profile) });
    expect(again.profile).toEqual(profile);
    expect(again.parts).toEqual([]);
  });

  it.each<[string, Record<string, string | Uint8Array<ArrayBuffer>>, string]>([
    ['of two kinds', { ...madeUpProfile(), 'a.jsonl': '{}' }, 'choose the files of one'],
    ['of neither', { 'a.txt': 'x' }, 'found a.txt: expected dense.csv'],
    ['that are empty', { 'a.csv': '' }, 'a.csv: the file is empty'],
    ['of other columns', { 'a.csv': 'b,c\n1,2' }, 'a.csv: the columns b,c are of no table'],
    [
      'that are damaged',
      { 'gemm_perf.csv.gz': new Uint8Array([0x1f, 0x8b, 1, 2, 3]) },
      'gemm_perf.csv.gz: the gzip file is damaged',
    ],
    [
      'that are no text',
      { 'a.jsonl': new Uint8Array([0x7b, 0xff]) },
      'a.jsonl: the file is not UTF-8',
    ],
    [
      'with a wrong profile',
      {
        'p.json': '{"format":"headroom/hardware-profile","profile":{"law":"iteration","rows":-1}}',
      },
      'p.json: invalid profile.rows',
    ],
    ['none', {}, 'found no file: expected dense.csv'],
  ])('%s', async (_, files, message) => {
    await expect(calibrate(files)).rejects.toThrow(message);
  });
});
