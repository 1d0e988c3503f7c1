import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it, vi } from 'vitest';
import { runCommand } from '../../../lib/cli/commands/run';
import { makeBundle } from '../../../lib/serving/cost/op-tables/bundle';
import { madeUpProfile } from '../serving/made-up-profile';
import { madeUpRows, writeFolder } from './made-up-run';

const lines = (output: number): string =>
  madeUpRows()
    .map(({ arrival, prompt }) =>
      JSON.stringify({
        arrival_time_ns: arrival * 1e9,
        input_toks: prompt,
        output_toks: output,
        input_tok_ids: Array.from({ length: prompt }, (_, i) => i),
      }),
    )
    .join('\n');

const study = (costModel: object): string => `---
format: headroom/notebook
version: 1
title: "Study"
---

\`\`\`cell workload #load
{ "source": { "type": "json-lines" } }
\`\`\`

\`\`\`cell serve #serve <- load
${JSON.stringify({ strategy: { type: 'vllm-v1' }, costModel })}
\`\`\`
`;

const folder = writeFolder({
  'study.md': study({ type: 'op-tables' }),
  'free.md': study({ type: 'calibrated' }),
  'load.jsonl': lines(8),
  'long.jsonl': lines(9000),
  'bundle.json': JSON.stringify(makeBundle(madeUpProfile())),
  ...Object.fromEntries(
    Object.entries(madeUpProfile({ folder: 'tp1/' })).map(([name, text]) => [
      `profile/${name}`,
      text,
    ]),
  ),
});
afterAll(() => rmSync(folder, { recursive: true }));
const out = join(folder, 'results.json');

async function results(...args: string[]) {
  vi.spyOn(console, 'error').mockImplementation(() => undefined);
  expect(await runCommand([join(folder, args[0] ?? ''), '--out', out, ...args.slice(1)])).toBe(0);
  vi.restoreAllMocks();
  return JSON.parse(readFileSync(out, 'utf8')).cells.serve;
}
const bind = (cell: string, name: string) => ['--bind', `${cell}=${join(folder, name)}`];

describe('headroom run with vLLM V1', () => {
  it('takes a folder of tables, or the same as one file', async () => {
    const load = bind('load', 'load.jsonl');
    const fromFolder = await results('study.md', ...load, ...bind('serve', 'profile'));
    const fromFile = await results('study.md', ...load, ...bind('serve', 'bundle.json'));
    expect(fromFolder.result.metrics.completed).toBe(24);
    expect(fromFolder.result.metrics).toEqual(fromFile.result.metrics);
    expect(fromFolder.result.prefixCache.hitTokens).toBeGreaterThan(0);
    expect(fromFolder.result.costModel.extrapolated).toBeUndefined();
  });

  it('writes into the provenance what lay beyond the tables', async () => {
    const cell = await results(
      'study.md',
      ...bind('load', 'long.jsonl'),
      ...bind('serve', 'profile'),
    );
    const said =
      /extrapolated beyond the tables in \d+ of \d+ iterations \(kv_decode up to 9\d\d\d\)/;
    expect(cell.provenance.costModel).toMatch(said);
    expect(cell.result.costModel.extrapolated).toMatch(said);
  });

  it('needs no tables when it is calibrated', async () => {
    const cell = await results('free.md', ...bind('load', 'load.jsonl'));
    expect(cell.provenance.costModel).toMatch(/^calibrated, Llama 3.1 8B on 1 x A100/);
  });

  it('says what is wrong with a folder', async () => {
    const log = vi.spyOn(console, 'error').mockImplementation(() => undefined);
    writeFileSync(join(folder, 'profile', 'note.txt'), 'x');
    const args = [join(folder, 'study.md'), '--out', out, ...bind('load', 'load.jsonl')];
    expect(await runCommand([...args, ...bind('serve', '.')])).toBe(1);
    expect(String(log.mock.calls.at(-1)?.[0])).toMatch(
      /--bind serve=.*: missing dense.csv, per_sequence.csv, attention.csv/,
    );
    vi.restoreAllMocks();
  });
});
