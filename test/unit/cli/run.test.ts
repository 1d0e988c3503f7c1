import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { runCommand } from '../../../lib/cli/commands/run';
import { writeTensors } from '../../../lib/tensors/write';

const folder = mkdtempSync(join(tmpdir(), 'headroom-run-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const out = join(folder, 'results.json');

function write(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

const STUDY = `---
format: headroom/notebook
version: 1
title: "Study"
---

A study.

\`\`\`cell workload #load
{ "source": { "type": "generator", "requests": 50 } }
\`\`\`

\`\`\`cell serve #serve <- load
{ "strategy": { "type": "sarathi" }, "horizonSeconds": 12 }
\`\`\`

\`\`\`cell attention #attn
{ "shape": { "queries": 64, "keys": 64, "queryHeads": 2 } }
\`\`\`

\`\`\`cell timeline #lanes <- serve
{}
\`\`\`
`;

const errors: string[] = [];
beforeEach(() => {
  rmSync(out, { force: true });
  errors.length = 0;
  vi.spyOn(console, 'error').mockImplementation((line: string) => void errors.push(line));
});

function readResults() {
  return JSON.parse(readFileSync(out, 'utf8'));
}

describe('headroom run', () => {
  test('writes metrics, request columns and provenance of every job cell', async () => {
    const file = write('study.md', STUDY);
    expect(await runCommand([file, '--out', out, '--cpu'])).toBe(0);
    const { format, notebook, cells } = readResults();
    expect(format).toBe('headroom/results');
    expect(notebook.title).toBe('Study');
    expect(Object.keys(cells)).toEqual(['load', 'serve', 'attn']);
    const { serve, attn } = cells;
    expect(serve.result.metrics.requests).toBe(50);
    expect(serve.result.requests.firstTokenSeconds).toHaveLength(50);
    expect(serve.result.lanes[0]).toEqual({
      id: expect.any(String),
      label: expect.any(String),
      role: 'mixed',
      kvBlocksTotal: expect.any(Number),
      iterations: expect.any(Number),
    });
    expect(serve.result.tbt).toBeUndefined();
    // Not everything ends within the horizon: NaN in the page, null here.
    expect(serve.result.metrics.unfinished).toBeGreaterThan(0);
    expect(serve.result.requests.completedSeconds).toContain(null);
    expect(serve.provenance).toMatchObject({
      simulated: true,
      recorded: false,
      engine: 'simulator',
      specHash: expect.stringMatching(/^[0-9a-f]{64}$/),
    });
    expect(attn.result).toMatchObject({ engine: 'cpu', params: { engine: 'cpu' } });
    expect(attn.provenance).toMatchObject({ engine: 'cpu', precision: 'f64', seed: 1 });
  });

  test('is the same for the same seed, and --seed changes it', async () => {
    const file = write('study.md', STUDY);
    const run = async (...more: string[]) => {
      expect(await runCommand([file, '--out', out, '--cpu', ...more])).toBe(0);
      const { cells } = readResults();
      return { ...cells, arrivals: JSON.stringify(cells.load.result.arrivalSeconds) };
    };
    const [first, again, other] = [await run(), await run(), await run('--seed', '7')];
    expect(again.serve.result.metrics).toEqual(first.serve.result.metrics);
    expect(again.serve.provenance.specHash).toBe(first.serve.provenance.specHash);
    expect(other.arrivals).not.toBe(first.arrivals);
    expect(other.load.provenance.seed).toBe(7);
    expect(other.attn.provenance.seed).toBe(7);
  });

  test('--timelines adds every iteration and the token gaps', async () => {
    const file = write('study.md', STUDY);
    await runCommand([file, '--out', out, '--cpu', '--timelines']);
    const { lanes, tbt, metrics } = readResults().cells.serve.result;
    const iterations = lanes.reduce(
      (sum: number, lane: { startSeconds: number[] }) => sum + lane.startSeconds.length,
      0,
    );
    expect(iterations).toBe(metrics.iterations);
    expect(tbt.values).toHaveLength(tbt.weights.length);
  });

  test('binds a file to a cell', async () => {
    const file = write(
      'csv.md',
      '```cell workload #load\n{ "source": { "type": "csv", "fileName": "t.csv" } }\n```\n',
    );
    const csv = write('t.csv', 'arrival_s,prompt_tokens,output_tokens\n0,10,2\n1.5,20,3\n');
    expect(await runCommand([file, '--out', out, '--bind', `load=${csv}`])).toBe(0);
    expect(readResults().cells.load.result).toMatchObject({
      arrivalSeconds: [0, 1.5],
      promptTokens: [10, 20],
    });
  });
});

describe('headroom run over the tensors of a file', () => {
  const cell = (engine: string) =>
    `\`\`\`cell attention #attn\n{ "shape": { "queries": 3, "keys": 5, "queryHeads": 2, "kvHeads": 1, "headSize": 4 }, "inputs": { "source": "file", "layout": "nhd" }, "engine": "${engine}" }\n\`\`\`\n`;
  const tensor = (name: string, shape: readonly number[]) => ({
    name,
    dtype: 'F16' as const,
    shape,
    data: new Uint16Array(shape.reduce((product, side) => product * side, 1)).fill(0x3c00),
  });
  const save = async (name: string, keys: number) => {
    const [q, kv] = [tensor('q', [3, 2, 4]), [keys, 1, 4]];
    const blob = writeTensors([q, tensor('k', kv), tensor('v', kv)]);
    const path = join(folder, name);
    writeFileSync(path, new Uint8Array(await blob.arrayBuffer()));
    return path;
  };

  test.each(['cpu', 'wasm'])('%s', async (engine) => {
    const file = write('file.md', cell(engine));
    const path = await save('qkv.safetensors', 5);
    expect(await runCommand([file, '--out', out, '--bind', `attn=${path}`])).toBe(0);
    const { attn } = readResults().cells;
    expect(attn.result.engine).toBe(engine);
    expect(attn.result.notes[0]).toBe('inputs from "qkv.safetensors": q (F16), k (F16), v (F16)');
    expect(attn.result.density.elements).toBeCloseTo((3 + 4 + 5) / 15, 10);
    expect(attn.provenance.specHash).toMatch(/^[0-9a-f]{64}$/);
  });

  test('of another shape, of no tensors, and without one', async () => {
    const file = write('file.md', cell('cpu'));
    const longer = await save('longer.safetensors', 9);
    expect(await runCommand([file, '--out', out, '--bind', `attn=${longer}`])).toBe(1);
    expect(errors.pop()!.replace(file, 'FILE')).toBe(
      'FILE:1: cell "attn": the file has another shape than this cell: keys 9 (here 5); take the shape from the file, or choose another file',
    );
    expect(await runCommand([file, '--out', out, '--bind', `attn=${file}`])).toBe(1);
    expect(errors.pop()).toMatch(/cell "attn": not a safetensors file, or damaged: a header of/);
    expect(await runCommand([file, '--out', out])).toBe(1);
    expect(errors.pop()).toMatch(/cell "attn": needs the file "": pass --bind attn=PATH$/);
  });
});

describe('headroom run fails with one line and writes nothing', () => {
  const cases: readonly [name: string, text: string, args: string[], line: RegExp][] = [
    [
      'where the notebook is not valid',
      '# Title\n\n```cell workload #load\n{ "rateScale": 0 }\n```\n',
      [],
      /^FILE:3: invalid rateScale: 0 \(expected .*\) at cells\[1\]\.params\.rateScale$/,
    ],
    [
      'where a file is missing',
      'Prose.\n\n```cell workload #load\n{ "source": { "type": "csv", "fileName": "t.csv" } }\n```\n\n```cell serve #s <- load\n```\n',
      [],
      /^FILE:3: cell "load": needs the file "t\.csv": pass --bind load=PATH$/,
    ],
    [
      'where the file has a bad row',
      '```cell workload #load\n{ "source": { "type": "csv" } }\n```\n',
      ['--bind', `load=${write('bad.csv', 'arrival_s,prompt_tokens,output_tokens\n0,x,2\n')}`],
      /^FILE:1: cell "load": .*x/,
    ],
    [
      'where a binding names no cell',
      '```cell workload #load\n{ "source": { "type": "csv" } }\n```\n',
      ['--bind', 'lod=t.csv'],
      /^--bind lod=t\.csv: unknown cell "lod" \(cells that read a file: "load"\)$/,
    ],
    [
      'where a bound cell reads no file',
      '```cell workload #load\n```\n',
      ['--bind', 'load=t.csv'],
      /^--bind load=t\.csv: cell "load" reads no file$/,
    ],
    [
      'where a bound file cannot be read',
      '```cell workload #load\n{ "source": { "type": "csv" } }\n```\n',
      ['--bind', 'load=/nowhere/t.csv'],
      /^--bind load=\/nowhere\/t\.csv: cannot read the file \(ENOENT\)$/,
    ],
  ];

  const wrongLines: readonly [name: string, args: string[], line: RegExp][] = [
    ['at a bad seed', ['--seed=-1'], /^invalid --seed: -1/],
    ['at a bad binding', ['--bind', 'load'], /^invalid --bind: load \(expected CELL=PATH\)/],
    ['at an unknown option', ['--fast'], /--fast/],
  ];

  test.each(wrongLines)('%s', async (_name, args, line) => {
    expect(await runCommand([write('empty.md', ''), '--out', out, ...args])).toBe(2);
    expect(errors[0]).toMatch(line);
    expect(() => readFileSync(out)).toThrow('ENOENT');
  });

  test.each(cases)('%s', async (_name, text, args, line) => {
    const file = write('broken.md', text);
    expect(await runCommand([file, '--out', out, ...args])).toBe(1);
    expect(errors[0]!.replace(file, 'FILE')).toMatch(line);
    expect(() => readFileSync(out)).toThrow('ENOENT');
  });

  test('without a file, and with one that is not there', async () => {
    expect(await runCommand(['--out', out])).toBe(2);
    expect(errors[0]).toBe('missing FILE\n(headroom run --help lists the options)');
    expect(await runCommand(['/nowhere/a.md', '--out', out])).toBe(1);
    expect(errors[1]).toBe('/nowhere/a.md: cannot read the file (ENOENT)');
  });

  test('before it runs anything where the results cannot be written', async () => {
    const file = write('study.md', STUDY);
    expect(await runCommand([file, '--cpu', '--out', folder])).toBe(1);
    expect(await runCommand([file, '--cpu', '--out', '/nowhere/r.json'])).toBe(1);
    expect(errors).toEqual([
      `${folder}: cannot write the file (EISDIR)`,
      '/nowhere/r.json: cannot write the file (ENOENT)',
    ]);
  });
});
