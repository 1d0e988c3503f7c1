import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { checkVllm } from '../../../lib/cli/check/vllm';
import { simulate } from '../../../lib/serving/core/simulation';
import { makeCostModel } from '../../../lib/serving/cost/make-cost-model';
import { makeBundle, type OpTableBundle } from '../../../lib/serving/cost/op-tables/bundle';
import type { VllmCheck } from '../../../lib/serving/fidelity/replay-run';
import type { ServeResult } from '../../../lib/serving/types';
import { serveParams } from '../../../lib/spec/kinds/serve';
import type { Workload } from '../../../lib/workload/types';
import { madeUpProfile } from '../serving/made-up-profile';
import { MADE_UP_META, madeUpRows, madeUpRun, writeFolder } from './made-up-run';

const rows = madeUpRows();
const workload: Workload = {
  arrivalSeconds: Float64Array.from(rows, ({ arrival }) => arrival),
  promptTokens: Int32Array.from(rows, ({ prompt }) => prompt),
  outputTokens: Int32Array.from(rows, ({ output }) => output),
  label: 'test',
  source: 'test',
  seed: 0,
  notes: [],
};

/** The same settings through the cell's params: what the command must find by itself. */
function cellResult(): ServeResult {
  const params = serveParams.parse({
    strategy: { type: 'vllm-v1', maxBatchedTokens: 256, maxSequences: 8 },
    memory: { kvBlocks: 300 },
    costModel: { type: 'op-tables' },
  });
  return simulate(
    params,
    workload,
    makeCostModel(params, makeBundle(madeUpProfile()) satisfies OpTableBundle),
  );
}

const folders: string[] = [];
function folderOf(files: Readonly<Record<string, string>>): string {
  const folder = writeFolder(files);
  folders.push(folder);
  return folder;
}
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
  vi.restoreAllMocks();
});

async function check(run: string, tables: string, ...more: string[]): Promise<VllmCheck> {
  const log = vi.spyOn(console, 'log').mockImplementation(() => undefined);
  expect(await checkVllm(['--run', run, '--tables', tables, ...more])).toBe(0);
  expect(log).toHaveBeenCalledTimes(1);
  return JSON.parse(String(log.mock.calls[0]?.[0])) as VllmCheck;
}

/** Exit code 1 with one line on standard error and nothing on standard output. */
async function fails(args: readonly string[], message: string | RegExp): Promise<void> {
  const log = vi.spyOn(console, 'log').mockImplementation(() => undefined);
  const error = vi.spyOn(console, 'error').mockImplementation(() => undefined);
  expect(await checkVllm(args)).toBe(1);
  const [line] = error.mock.lastCall ?? [];
  if (typeof message === 'string') expect(line).toContain(message);
  else expect(line).toMatch(message);
  expect(log).not.toHaveBeenCalled();
}

function runFiles(slower = 1) {
  const { requests } = cellResult();
  const times = { first: requests.firstTokenSeconds, last: requests.completedSeconds };
  return madeUpRun(rows, times, slower);
}

describe('check vllm', () => {
  it('finds no error in a run that the cell itself has made', async () => {
    const found = await check(folderOf(runFiles()), folderOf(madeUpProfile()));
    expect(found.requests).toBe(rows.length);
    expect(found.iterations).toBe(cellResult().metrics.iterations);
    expect(found.kvBlocks).toBe(300);
    for (const key of ['tpotMeanPct', 'e2eMeanPct', 'ttftMeanPct', 'makespanPct'] as const)
      expect(Math.abs(found[key])).toBeLessThan(0.01);
    expect(found.costModel).toMatch(
      /^operator tables, made-up\/Llama-3.1-8B on NVIDIA RTX PRO 6000/,
    );
  });

  it('gives the signed error of a run that was slower', async () => {
    const found = await check(
      folderOf(runFiles(1.25)),
      folderOf(madeUpProfile({ folder: 'tp1/' })),
    );
    expect(found.tpotMeanPct).toBeCloseTo(-20, 2);
    expect(found.e2eMeanPct).toBeCloseTo(-20, 2);
    expect(found.ttftMeanPct).toBeCloseTo(-20, 2);
    expect(found.makespanPct).toBeLessThan(-1);
  });

  it('notes tables of another model, and blocks that it had to plan', async () => {
    const files = {
      ...runFiles(),
      'meta.json': JSON.stringify({
        ...MADE_UP_META,
        model: 'Qwen/Qwen3-8B',
        num_gpu_blocks: null,
      }),
    };
    const found = await check(folderOf(files), folderOf(madeUpProfile()));
    expect(found.notes[0]).toMatch(/^\d+ KV blocks are planned from the memory of RTX PRO 6000/);
    expect(found.notes[1]).toBe('the tables are of made-up/Llama-3.1-8B, the run of Qwen/Qwen3-8B');
  });

  it('shares prefixes where the tokens are there', async () => {
    const files = runFiles();
    const tokens = rows
      .map(({ prompt }) =>
        JSON.stringify({ input_tok_ids: Array.from({ length: prompt }, (_, i) => i) }),
      )
      .join('\n');
    const path = join(folderOf({ 'tokens.jsonl': tokens }), 'tokens.jsonl');
    const found = await check(folderOf(files), folderOf(madeUpProfile()), '--tokens', path);
    expect(found.prefixHitPct).toBeGreaterThan(50);
    expect(found.ttftMeanPct).toBeLessThan(-20);
  });

  it('takes the architecture of a config.json and the blocks of the command line', async () => {
    const files = {
      ...runFiles(),
      'meta.json': JSON.stringify({
        ...MADE_UP_META,
        model: 'somebody/unheard-of',
        num_gpu_blocks: null,
      }),
    };
    const config = join(
      folderOf({
        'config.json': JSON.stringify({
          num_hidden_layers: 16,
          hidden_size: 4096,
          num_attention_heads: 32,
          num_key_value_heads: 8,
          intermediate_size: 14336,
          vocab_size: 128256,
        }),
      }),
      'config.json',
    );
    const run = folderOf(files);
    const tables = folderOf(madeUpProfile());
    const found = await check(run, tables, '--model-config', config, '--kv-blocks', '40');
    expect(found.kvBlocks).toBe(40);
    expect(found.tpotMeanPct).toBeLessThan(-30);
    vi.restoreAllMocks();
    await fails(
      ['--run', run, '--tables', tables],
      /meta.json: unknown model: "somebody\/unheard-of" \(pass its config.json/,
    );
  });

  const meta = (change: object) => ({
    'meta.json': JSON.stringify({ ...MADE_UP_META, ...change }),
  });
  const firstLine = (from: string, to: string) => ({
    'requests.jsonl': (runFiles()['requests.jsonl'] as string).replace(from, to),
  });
  const cases: readonly (readonly [string, Readonly<Record<string, string>>, RegExp])[] = [
    ['meta.json is no JSON', { 'meta.json': '{' }, /meta.json: expected JSON/],
    [
      'a setting is wrong',
      meta({ engine_kwargs: { max_num_seqs: 'many' } }),
      /meta.json: invalid max_num_seqs: "many" \(expected an integer from 1\)/,
    ],
    ['a line is no JSON', firstLine('{', '['), /requests.jsonl: line 1: expected JSON/],
    [
      'a field is missing',
      firstLine('"queued_ts"', '"queue_ts"'),
      /requests.jsonl: line 1: invalid queued_ts: undefined \(expected a number\)/,
    ],
    [
      'a count is wrong',
      firstLine(`"input_toks":${rows[0]?.prompt}`, '"input_toks":0'),
      /requests.jsonl: line 1: invalid input_toks: 0 \(expected an integer from 1\)/,
    ],
    [
      'stamps run backwards',
      firstLine('"last_token_ts":1', '"last_token_ts":-1'),
      /requests.jsonl: line 1: invalid last_token_ts: earlier than the stamp before it/,
    ],
    [
      'the memory is too small',
      meta({ num_gpu_blocks: 3 }),
      /24 of 24 requests did not complete in the simulation \(KV blocks: 2\)/,
    ],
  ];
  it.each(cases)('says where when %s', async (_, files, message) => {
    const run = folderOf({ ...runFiles(), ...files });
    await fails(['--run', run, '--tables', folderOf(madeUpProfile())], message);
  });

  it('says which folder or file is not there', async () => {
    const run = folderOf(runFiles());
    const empty = mkdtempSync(join(tmpdir(), 'headroom-'));
    folders.push(empty);
    await fails(
      ['--run', run, '--tables', empty],
      `${empty}: missing dense.csv, per_sequence.csv, attention.csv`,
    );
    await fails(['--run', empty, '--tables', run], /meta.json: cannot read the file \(ENOENT\)/);
    const path = join(run, 'tokens.jsonl');
    writeFileSync(path, '{"input_tok_ids":[1,2]}\n'.repeat(24));
    await fails(
      ['--run', run, '--tables', folderOf(madeUpProfile()), '--tokens', path],
      /tokens.jsonl: line 1: invalid input_tok_ids: 2 ids \(request 1 of the run has/,
    );
  });
});
