import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { COMMANDS, dispatch } from '../../../lib/cli/dispatch';

const folder = mkdtempSync(join(tmpdir(), 'headroom-lines-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const NOTEBOOK = 'notebooks/why-split-prefill-and-decode.md';
const BINARY = join(folder, 'binary.md');
writeFileSync(BINARY, Buffer.from('# Title\n\nProse \xff\xfe.\n', 'latin1'));

const out: string[] = [];
const errors: string[] = [];
beforeEach(() => {
  out.length = 0;
  errors.length = 0;
  const keep = (text: unknown) => {
    out.push(String(text));
    return true;
  };
  vi.spyOn(console, 'log').mockImplementation(keep);
  vi.spyOn(process.stdout, 'write').mockImplementation(keep);
  vi.spyOn(console, 'error').mockImplementation((line: string) => void errors.push(line));
});

/** Every command, and every check of `check`. */
const WAYS = [
  ...Object.keys(COMMANDS).filter((name) => name !== 'check'),
  ...['vidur', 'vllm', 'row', 'silicon'].map((what) => `check ${what}`),
];

describe.each(WAYS)('headroom %s', (way) => {
  const words = way.split(' ');

  test('prints its usage on standard output for --help', async () => {
    expect(await dispatch([...words, '--help'])).toBe(0);
    expect(out[0]).toMatch(new RegExp(`^usage: headroom ${way}\\b`));
    expect(errors).toEqual([]);
  });

  test('says of an unknown flag which it is, and exits with 2', async () => {
    expect(await dispatch([...words, '--no-such-flag'])).toBe(2);
    expect(errors[0]).toContain('--no-such-flag');
    expect(errors[0]).toMatch(new RegExp(`\n\n?(usage: |\\()headroom ${way}\\b`));
    expect(out).toEqual([]);
  });
});

const wrong: readonly (readonly [line: string, message: RegExp])[] = [
  ['nope', /^unknown command: nope\n/],
  ['help nope', /^unknown command: nope\n/],
  ['toString', /^unknown command: toString\n/],
  ['check', /^missing check\n/],
  ['check nope', /^unknown check: nope\n/],
  ['validate', /^missing FILE\n/],
  [`link ${NOTEBOOK} other.md`, /^unexpected argument: "other.md"\n/],
  [`link ${NOTEBOOK} --base`, /'--base <value>' argument missing/],
  [`link ${NOTEBOOK} --base a --base b`, /^--base given twice\n/],
  ['open a b', /^unexpected argument: "b"\n/],
  ['method nope', /^unknown method: nope /],
  ['method full other', /^unexpected argument: "other"\n/],
  ['tasks nope', /^unknown task: nope /],
  ['tasks passkey --context 1', /^invalid contextTokens: 1 for passkey /],
  ['tasks passkey --seed x', /^invalid --seed: x /],
  [`run ${NOTEBOOK} --out - --seed 1 --seed 2`, /^--seed given twice\n/],
  [`run ${NOTEBOOK} --out - --seed=`, /^invalid --seed: {2}\(expected 0\.\.2147483647\)/],
  [`sweep ${NOTEBOOK} --cell a --rates 1,,2`, /^invalid --rates: /],
  [`sweep ${NOTEBOOK} --cell a --maximum --seeds 51`, /^invalid --seeds: 51 \(expected 1\.\.50\)/],
  ['plan', /^missing --model\n/],
  ['plan --model nope --hardware h100 --json', /^invalid model: /],
  ['plan --model llama-3.1-8b --json', /^missing --hardware\n/],
  ['plan --model llama-3.1-8b --hardware h100 --accelerators 99', /^invalid accelerators: /],
  ['plan --model llama-3.1-8b --hardware h100 --cell a', /^--cell without FILE\n/],
  [`plan ${NOTEBOOK}`, /^missing --cell\n/],
  [`plan ${NOTEBOOK} --cell a --ttft 1`, /^--ttft with FILE, whose cell has its own\n/],
  ['eval --task passkey stray', /^unexpected argument: "stray"\n/],
  ['eval --task passkey --seed 1 --seed 2', /^--seed given twice\n/],
  ['gates --context x --json', /^invalid --context: x /],
  ['gates --engine nope', /^unknown engine: nope /],
  ['calibrate', /^expected either --tables or --log\n/],
  ['calibrate --tables a --log b', /^expected either --tables or --log\n/],
  ['calibrate --log x --model nope', /^invalid --model: nope /],
  ['check vidur --tables a', /^missing --run\n/],
  ['check vllm --run a --tp 0', /^invalid --tp: 0 /],
  ['check row nope --json', /^unknown check: "nope"/],
  ['check silicon', /^missing --file\n/],
];

test.each(wrong)('a wrong command line exits with 2: %s', async (line, message) => {
  expect(await dispatch(line.split(' '))).toBe(2);
  expect(errors).toEqual([expect.stringMatching(message)]);
  expect(errors[0]).toMatch(/\n\nusage: headroom |\n\(headroom .* --help lists the options\)$/);
  expect(out).toEqual([]);
});

const unreadable: readonly (readonly [line: string, message: string])[] = [
  ['validate PATH', 'PATH: cannot read the file'],
  ['link PATH', 'PATH: cannot read the file'],
  ['run PATH --out -', 'PATH: cannot read the file'],
  ['sweep PATH --cell a --maximum', 'PATH: cannot read the file'],
  ['plan PATH --cell a --json', 'PATH: cannot read the file'],
  ['tensors PATH', 'PATH: cannot read the file'],
  ['check vidur --tables PATH --run PATH', 'PATH: cannot read the file'],
  ['check silicon --file PATH', 'PATH: cannot read the file'],
];

describe.each(unreadable)('%s', (line, message) => {
  test.each([
    [join(folder, 'none'), 'ENOENT'],
    [folder, 'EISDIR'],
  ])('of %s', async (path, code) => {
    expect(await dispatch(line.replaceAll('PATH', path).split(' '))).toBe(1);
    expect(errors).toEqual([`${message.replace('PATH', path)} (${code})`]);
    expect(out).toEqual([]);
  });
});

test.each(['model PATH --json', 'eval --task passkey --model PATH --json', 'gates --model PATH'])(
  '%s of no folder prints one line on standard error',
  async (line) => {
    const path = join(folder, 'none');
    expect(await dispatch(line.replace('PATH', path).split(' '))).toBe(1);
    expect(errors).toEqual([`${path}: cannot read the folder (ENOENT)`]);
    expect(out).toEqual([]);
  },
);

test.each([
  'validate PATH',
  'link PATH',
  'run PATH --out - --cpu',
  'sweep PATH --cell a --maximum',
  'plan PATH --cell a',
])('%s refuses bytes that are no UTF-8 and says on which line', async (line) => {
  expect(await dispatch(line.replace('PATH', BINARY).split(' '))).toBe(1);
  expect(errors).toEqual([`${BINARY}:3: the file is not text in UTF-8`]);
  expect(out).toEqual([]);
});

test('help names every command, and help COMMAND is its --help', async () => {
  expect(await dispatch([])).toBe(0);
  const [help = ''] = out;
  for (const name of Object.keys(COMMANDS)) expect(help).toMatch(new RegExp(`^ {2}${name} `, 'm'));
  out.length = 0;
  expect(await dispatch(['help', 'sweep'])).toBe(0);
  expect(out[0]).toMatch(/^usage: headroom sweep FILE/);
});
