import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { evalCommand } from '../../../lib/cli/commands/eval';
import { gatesCommand } from '../../../lib/cli/commands/gates';
import { tasksCommand } from '../../../lib/cli/commands/tasks';
import { parseBudget, parseEvalOptions } from '../../../lib/cli/evaluate/eval-options';
import { evaluationLines } from '../../../lib/cli/evaluate/print-evaluation';
import { TASKS } from '../../../lib/tasks/registry';
import { writeTensors } from '../../../lib/tensors/write';
import { readConfig } from '../../../lib/transformer/load/config';
import { tinyConfig, tinyTensors } from '../transformer/tiny-model';

const folder = mkdtempSync(join(tmpdir(), 'headroom-eval-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const lines: string[] = [];
const errors: string[] = [];
beforeEach(() => {
  lines.length = 0;
  errors.length = 0;
  vi.spyOn(console, 'log').mockImplementation((line: string) => void lines.push(line));
  vi.spyOn(console, 'error').mockImplementation((line: string) => void errors.push(line));
});

describe('options', () => {
  test('budgets are shares, tokens or bytes', () => {
    expect(parseBudget('0.25')).toEqual({ type: 'ratio', share: 0.25 });
    expect(parseBudget('1')).toEqual({ type: 'ratio', share: 1 });
    expect(parseBudget('64tokens')).toEqual({ type: 'tokens', tokens: 64 });
    expect(parseBudget('65536bytes')).toEqual({ type: 'bytes', bytes: 65536 });
    for (const text of ['0', '1.5', '-1', '64', '0tokens', '1.5tokens', 'half', '']) {
      expect(() => parseBudget(text)).toThrow(`invalid --budget: ${text} (expected a share`);
    }
  });

  test.each([
    [[], 'missing --task'],
    [['--task', 'lunch'], 'unknown task: lunch (expected passkey'],
    [['--task', 'passkey', '--policy', 'lunch'], 'unknown policy: lunch (expected full'],
    [['--task', 'passkey', '--engine', 'abacus'], 'unknown engine: abacus (expected reference'],
    [
      ['--task', 'passkey', '--protocol', 'open'],
      'invalid --protocol: open (expected known, hidden, turns)',
    ],
    [['--task', 'passkey', '--samples', '0'], 'invalid --samples: 0 (expected 1..100000)'],
    [['--task', 'passkey', '--seed=-1'], 'invalid --seed: -1 (expected 0..4294967295)'],
    [
      ['--task', 'passkey', '--context', '3'],
      'invalid contextTokens: 3 for passkey (expected 7..1024)',
    ],
    [['--task', 'passkey', '--context', ''], 'invalid --context:  (expected an integer from 1)'],
    [['--task', 'passkey', '--set', 'keyTokens=99'], 'invalid keyTokens: 99 (expected 1..8)'],
    [
      ['--task', 'passkey', '--set', 'colour=1'],
      'unknown option: colour (expected keyTokens, depth)',
    ],
    [['--task', 'passkey', '--set', 'depth'], 'invalid --set: depth (expected NAME=VALUE)'],
    [['--task', 'passkey', '--stay'], '--stay without --protocol turns'],
    [['--task', 'passkey', '--colour'], 'colour'],
    [
      ['--task', 'passkey', '--policy', 'duo-attention', '--gates', 'trained'],
      'invalid --gates: trained (expected proxy, fitted)',
    ],
    [
      ['--task', 'passkey', '--policy', 'snapkv', '--gates', 'fitted'],
      'invalid --gates: fitted (the policy snapkv has no classes of heads)',
    ],
    [
      [
        ...['--task', 'passkey', '--policy', 'duo-attention'],
        ...['--gates', 'proxy', '--action', 'evict'],
      ],
      '--gates with --action',
    ],
    [['--edits', '--gates', 'proxy'], '--gates with --edits'],
    [['--edits', '--policy', 'pie'], '--policy with --edits'],
    [['--edits', '--task', 'edits'], '--task with --edits'],
    [
      ['--task', 'passkey', '--action', 'lunch'],
      'invalid --action: lunch (expected evict, quantise, merge, compensate, project, offload, recompute, or',
    ],
    [
      ['--task', 'passkey', '--policy', 'quest', '--action', 'offload'],
      'invalid --action: offload (the policy quest is not made of parts)',
    ],
    [['--task', 'passkey', '--action', '{"type":'], 'invalid --action: {"type": (not JSON)'],
    [
      ['--task', 'passkey', '--action', '{"type":"offload","pageTokens":0}'],
      'invalid --action: invalid pageTokens: 0 (expected at least 1) at pageTokens',
    ],
    [
      ['--task', 'passkey', '--policy', 'streaming-llm', '--action', 'recompute'],
      'recomputed slots are found by their text positions) at position.type',
    ],
  ])('%j is refused: %s', (args, message) => {
    expect(() => parseEvalOptions(args)).toThrow(message);
  });

  test('are read whole', () => {
    const args =
      '--policy full --task mqar --budget 0.25 --context 256 --samples 200 --seed 7 --protocol known --set gaps=power-law --set pairs=8 --json';
    expect(parseEvalOptions(args.split(' '))).toMatchObject({
      policyId: 'full',
      budget: { type: 'ratio', share: 0.25 },
      isJson: true,
      plan: {
        taskId: 'mqar',
        options: { gaps: 'power-law', pairs: 8 },
        contextTokens: 256,
        samples: 200,
        seed: 7,
        protocol: 'known',
      },
    });
  });
});

test('the same scorer takes another action by its name, or as JSON', () => {
  const args = ['--task', 'passkey', '--policy', 'h2o', '--budget', '0.25', '--action'];
  expect(parseEvalOptions([...args, 'offload']).composed).toMatchObject({
    budget: { type: 'ratio', share: 0.25 },
    trigger: { type: 'after-prefill' },
    scorer: { type: 'attention', queries: 'all' },
    action: { type: 'offload', pageTokens: 16, fetch: { type: 'pages', share: 0.25 } },
  });
  expect(parseEvalOptions([...args, '{"type":"recompute","share":0.5}']).composed?.action).toEqual({
    type: 'recompute',
    fromLayer: 1,
    share: 0.5,
  });
  expect(parseEvalOptions(args.slice(0, -1)).composed).toBeUndefined();
});

test('wrong arguments are told in a sentence, and a folder without a model by its name', async () => {
  expect(await evalCommand([])).toBe(2);
  expect(errors[0]).toContain('usage: headroom eval');
  expect(await evalCommand(['--task', 'lunch'])).toBe(2);
  expect(errors[1]).toMatch(/^unknown task: lunch .*\n\(headroom eval --help lists the options\)$/);
  expect(await evalCommand(['--task', 'passkey', '--model', folder])).toBe(1);
  expect(errors[2]).toMatch(new RegExp(`^${folder}: `));
});

test('gates have help', async () => {
  expect(await gatesCommand(['--help'])).toBe(0);
  expect(lines[0]).toMatch(/^usage: headroom gates[\s\S]*--samples N/);
});

test('tasks that the shipped model has not learnt are marked, where they are listed and run', async () => {
  expect(await tasksCommand([])).toBe(0);
  expect(lines.find((line) => line.startsWith('common-words'))).toContain('does not answer it');
  expect(lines.find((line) => line.startsWith('passkey'))).not.toContain('does not answer it');
  const args = ['--context', '64', '--samples', '1', '--threads', '1', '--task'];
  expect(await evalCommand([...args, 'common-words'])).toBe(0);
  expect(errors).toEqual([expect.stringContaining('says nothing of a policy')]);
  expect(await evalCommand([...args, 'passkey'])).toBe(0);
  expect(errors).toHaveLength(1);
});

test('runs a model of a folder over threads and prints one JSON object', async () => {
  const config = tinyConfig('llama');
  writeFileSync(join(folder, 'config.json'), JSON.stringify(config));
  const weights = writeTensors(tinyTensors(config));
  writeFileSync(join(folder, 'model.safetensors'), new Uint8Array(await weights.arrayBuffer()));
  const args = ['--task', 'multi-turn', '--context', '64', '--samples', '5', '--model', folder];
  expect(await evalCommand([...args, '--protocol', 'turns', '--threads', '2', '--json'])).toBe(0);
  const result = JSON.parse(lines.join('\n'));
  expect(result).toMatchObject({
    policy: 'full',
    taskId: 'multi-turn',
    protocol: 'turns',
    samplesDone: 5,
    threads: 2,
    chance: 0.01,
  });
  expect(result.accuracy.total).toBe(20);
  expect(result.bytesPerToken.payload).toBe(result.bytesPerToken.full);
  expect(result.wallSeconds).toBeGreaterThan(0);
  const shown = evaluationLines({ ...result, plan: { contextTokens: 64 } }, 1.5);
  expect(shown[0]).toMatch(/^accuracy\t\d+\.\d % \(\d+\.\d % to \d+\.\d %\), \d+ of 20$/);
  expect(shown.at(-1)).toBe('time\t1.50 s for 5 contexts of 64 tokens');
});

test('heads go by the policy’s own gates, or by gates fitted on other contexts', async () => {
  const args = ['--task', 'multi-turn', '--context', '64', '--samples', '2', '--model', folder];
  const run = async (...more: string[]) => {
    lines.length = 0;
    const all = [...args, '--policy', 'duo-attention', '--budget', '0.5', '--threads', '1'];
    expect(await evalCommand([...all, '--json', ...more])).toBe(0);
    return JSON.parse(lines.join('\n'));
  };
  const fitted = await run('--gates', 'fitted');
  const { layers, kvHeads } = readConfig(tinyConfig('llama'));
  expect(fitted).toMatchObject({ policy: 'duo-attention', gates: 'fitted' });
  expect(fitted.gateValues).toHaveLength(layers);
  expect(fitted.gateValues[0]).toHaveLength(kvHeads);
  const proxy = await run('--gates', 'proxy');
  expect(proxy.gates).toBe('proxy');
  expect(proxy.gateValues).toBeUndefined();
  expect((await run()).bytesPerToken).toEqual(proxy.bytesPerToken);
});

test('gates says of each whether it is passed, with n, interval and bar', async () => {
  const args = ['--context', '64', '--samples', '4', '--model', folder, '--threads', '1'];
  expect(await gatesCommand(args)).toBe(1);
  expect(lines.map((line) => line.split('\t').slice(0, 2))).toEqual([
    ['fails', 'passkey'],
    ['fails', 'one of several keys'],
    ['fails', 'two hops'],
    ['fails', expect.stringMatching(/^induction head \(layer \d, head \d\)$/)],
    ['measured', 'sink mass'],
  ]);
  expect(lines[0]).toMatch(/\t0\.\d{3} \(0\.000 to 0\.\d{3}\), n 4, bar 0\.95$/);
  expect(await gatesCommand(['--samples', '0'])).toBe(2);
  expect(errors.at(-1)).toMatch(/^invalid --samples: 0/);
});

test('tasks lists every task, and shows one with its options and a sample', async () => {
  expect(await tasksCommand([])).toBe(0);
  expect(lines.map((line) => line.split('\t')[0])).toEqual(TASKS.map(({ id }) => id));
  for (const { id, options } of TASKS) {
    lines.length = 0;
    expect(await tasksCommand([id, '--seed', '3'])).toBe(0);
    expect(lines[0]?.split('\t')[0]).toBe(id);
    for (const name of Object.keys(options)) {
      expect(lines.some((line) => line.startsWith(`option ${name}\t`))).toBe(true);
    }
    expect(lines.some((line) => line.startsWith('context\t<bos> '))).toBe(true);
  }
  expect(await tasksCommand(['lunch'])).toBe(2);
  expect(errors.at(-1)).toMatch(/^unknown task: lunch/);
});
