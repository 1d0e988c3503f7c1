import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, expect, test, vi } from 'vitest';
import { modelCommand } from '../../../lib/cli/commands/model';
import { tinyConfig, tinyFiles, tinyTensors } from '../transformer/tiny-model';

const root = mkdtempSync(join(tmpdir(), 'headroom-model-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

const lines: string[] = [];
const errors: string[] = [];
beforeEach(() => {
  vi.spyOn(console, 'log').mockImplementation((line: string) => void lines.push(line));
  vi.spyOn(console, 'error').mockImplementation((line: string) => void errors.push(line));
});
afterEach(() => {
  lines.length = 0;
  errors.length = 0;
  vi.restoreAllMocks();
});

async function folderOf(name: string, files: ReadonlyMap<string, Blob>): Promise<string> {
  const folder = join(root, name);
  mkdirSync(folder);
  for (const [file, blob] of files) {
    writeFileSync(join(folder, file), new Uint8Array(await blob.arrayBuffer()));
  }
  return folder;
}

const config = tinyConfig('qwen2', { sliding_window: 128, use_sliding_window: true });
const files = tinyFiles({ config, tensors: tinyTensors(config, 'BF16'), shards: 2 });

test('prints the shape, what was checked and the memory', async () => {
  const folder = await folderOf('tiny', files);
  expect(await modelCommand([folder])).toBe(0);
  expect(errors).toEqual([]);
  expect(lines.map((line) => line.split('\t'))).toEqual([
    ['model', 'tiny (qwen2)'],
    ['shape', '2 layers, width 24, 4 query heads, 2 KV heads of 6, MLP 20, 242 tokens, tied head'],
    ['positions', '128, RoPE base 10000'],
    [
      'tensors',
      expect.stringMatching(
        /^26 checked \(26 BF16\) in model-00001-of-00002\.safetensors, model-00002-of-00002\.safetensors, \d\d\.\d KiB$/,
      ),
    ],
    [
      'memory',
      'weights 48.3 KiB as f32 (12,360 parameters), KV 192 bytes per token, 72.3 KiB with a full context',
    ],
    [
      'note',
      'sliding_window 128 is below max_position_embeddings 256: contexts are limited to 128 tokens, where the window hides nothing',
    ],
  ]);
});

test('generates the same text every time, and as JSON', async () => {
  const folder = await folderOf('generate', files);
  const args = [folder, '--prompt', 'paris : 10 ; paris ?', '--tokens', '6'];
  expect(await modelCommand(args)).toBe(0);
  const text = lines.find((line) => line.startsWith('text\t'))?.slice(5);
  lines.length = 0;
  expect(await modelCommand([...args, '--json'])).toBe(0);
  expect(lines).toHaveLength(1);
  const { generated, memory, tensorCount } = JSON.parse(lines[0]!);
  expect(generated).toMatchObject({ promptTokens: 6, engine: 'wasm', text });
  expect(generated.tokens.length).toBeLessThanOrEqual(6);
  expect(memory.parameters).toBe(12_360);
  expect(tensorCount).toBe(26);
});

test('follows links, as a download cache has them', async () => {
  const folder = await folderOf('stored', files);
  const links = join(root, 'links');
  mkdirSync(links);
  for (const name of files.keys()) symlinkSync(join(folder, name), join(links, name));
  expect(await modelCommand([links])).toBe(0);
});

test('says what is wrong, and exits with 1; of the arguments, with 2', async () => {
  const broken = await folderOf('broken', new Map([...files, ['config.json', new Blob(['{}'])]]));
  expect(await modelCommand([broken])).toBe(1);
  expect(await modelCommand([join(root, 'none')])).toBe(1);
  const folder = await folderOf('prompts', files);
  expect(await modelCommand([folder, '--prompt', 'nonsense'])).toBe(1);
  expect(await modelCommand([folder, '--prompt', '  '])).toBe(1);
  expect(await modelCommand([folder, '--prompt', 'paris', '--tokens', '128'])).toBe(1);
  expect(errors.map((line) => line.replace(root, ''))).toEqual([
    '/broken: config.json: unsupported architectures: nothing (expected one of llama, mistral, qwen2, qwen3)',
    '/none: cannot read the folder (ENOENT)',
    `/prompts: unknown word: "nonsense" (not in the tokenizer's vocabulary)`,
    '/prompts: invalid --prompt: no token in it',
    "/prompts: the prompt's 1 tokens and --tokens 128 are above the model's 128 positions",
  ]);
  errors.length = 0;
  expect(await modelCommand([])).toBe(2);
  expect(await modelCommand([folder, '--tokens', '3'])).toBe(2);
  expect(await modelCommand([folder, '--prompt', 'paris', '--tokens', '0'])).toBe(2);
  expect(errors.map((line) => line.split('\n')[0])).toEqual([
    'missing DIR',
    '--tokens without --prompt',
    'invalid --tokens: 0 (expected an integer from 1)',
  ]);
});
