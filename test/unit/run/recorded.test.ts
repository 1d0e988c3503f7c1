import { readdirSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createNodeModelApi, createNodeSimulationApi } from '../../../lib/cli/run/node-session';
import { createHeadlessRunner, readHeadless } from '../../../lib/run/headless';
import { createLocalClient } from '../../../lib/run/local-client';
import { readRecorded, recordedBytes, writeRecorded } from '../../../lib/run/recorded';
import { decodeResult, encodeResult } from '../../../lib/run/result-json';
import { createSession } from '../../../lib/run/session';
import type { Session } from '../../../lib/run/session-types';
import { sha256Hex } from '../../../lib/run/spec-hash';
import type { CellResult } from '../../../lib/run/types';
import type { KernelApi } from '../../../lib/run/worker-api';
import type { Notebook } from '../../../lib/spec/notebook';
import { fakeKernel, makeNotebook } from './fakes';

const NOTEBOOK = makeNotebook([
  { id: 'load', kind: 'workload', params: { source: { type: 'generator', requests: 40 } } },
  { id: 'serve', kind: 'serve', inputs: ['load'] },
  { id: 'attn', kind: 'attention' },
]);

/** The real simulator; attention is faked, as Node has no WebGPU. */
function createRealSession(notebook: Notebook): Session {
  const kernel = {
    run: async (_id, call) => fakeKernel(call),
    cancel: () => undefined,
  } as Partial<KernelApi> as KernelApi;
  return createSession(notebook, {
    kernel: createLocalClient(kernel, 'kernel'),
    model: createLocalClient(createNodeModelApi(), 'model'),
    simulation: createLocalClient(createNodeSimulationApi(), 'simulation'),
    appVersion: '9.9.9',
    now: () => Date.now(),
    hash: sha256Hex,
  });
}

async function record(): Promise<ReadonlyMap<string, CellResult>> {
  const session = createRealSession(NOTEBOOK);
  await session.runAll();
  const results = [...session.statuses()].map(([id, status]) => [id, status.result!] as const);
  session.dispose();
  return new Map(results);
}

describe('result JSON', () => {
  const arrays = fc.oneof(
    fc.float32Array(),
    fc.float64Array(),
    fc.int16Array(),
    fc.int32Array(),
    fc.uint8Array(),
    fc.uint32Array(),
  );
  const data = fc.letrec((tie) => ({
    value: fc.oneof(
      { maxDepth: 4 },
      fc.string(),
      fc.boolean(),
      fc.double().map((number) => (number === 0 ? 0 : number)),
      arrays,
      fc.array(tie('value'), { maxLength: 4 }),
      fc.dictionary(fc.stringMatching(/^[a-z]{1,6}$/), tie('value'), {
        maxKeys: 4,
        noNullPrototype: true,
      }),
    ),
  })).value;

  test('is exact for everything that results are made of', () => {
    fc.assert(
      fc.property(data, (value) => {
        const back = decodeResult(JSON.parse(JSON.stringify(encodeResult(value))));
        expect(back).toEqual(value);
      }),
      { numRuns: 200 },
    );
  });

  test('keeps views of a shared buffer apart', () => {
    const whole = Float64Array.of(1, 2, 3, 4);
    expect(decodeResult(encodeResult(whole.subarray(1, 3)))).toEqual(Float64Array.of(2, 3));
  });

  test('refuses what results never hold, with the place', () => {
    expect(() => encodeResult({ a: [new Date()] })).toThrow('no JSON form for Date at result.a[0]');
    expect(() => encodeResult({ a: null })).toThrow('no JSON form for null at result.a');
    expect(() => encodeResult(new BigInt64Array(1))).toThrow('no JSON form for BigInt64Array');
    expect(() => decodeResult({ $array: 'f16', base64: '' })).toThrow(
      'invalid array type: "f16" (expected f32, f64, i16, i32, u8, u32) at result',
    );
    expect(() => decodeResult({ $array: 'f32', base64: 'AAA=' })).toThrow(
      'invalid length: 2 bytes (expected a multiple of 4)',
    );
    expect(() => decodeResult({ $array: 'f32', base64: '*' })).toThrow('invalid base64');
    expect(() => decodeResult({ x: { $number: '7' } })).toThrow('invalid number: "7" at result.x');
  });
});

describe('recorded results', () => {
  test('survive the file exactly, marked as recorded, and fit a new session', async () => {
    const results = await record();
    const read = readRecorded(writeRecorded(results));
    for (const [id, { output, provenance }] of results) {
      expect(read.get(id)!.output).toEqual(output);
      expect(read.get(id)!.provenance).toEqual({ ...provenance, recorded: true });
    }
    const session = createRealSession(NOTEBOOK);
    const hasShown = new Promise<void>((resolve) => session.subscribe(resolve));
    session.loadRecorded(read);
    await hasShown;
    expect([...session.statuses().values()].map((status) => status.state)).toEqual(
      Array(3).fill('done'),
    );
    session.dispose();
  });

  test('weigh what the report says', async () => {
    const results = await record();
    const report = recordedBytes(results);
    const total = report.reduce((sum, { bytes }) => sum + bytes, 0);
    expect(report[0]!.cellId).toBe('serve');
    const { length } = writeRecorded(results);
    expect(length - total).toBeGreaterThan(0);
    expect(length - total).toBeLessThan(150);
  });

  test('of another form are refused with the place', async () => {
    const text = writeRecorded(await record());
    /** The text with the value at a path replaced. */
    const edit = (path: string, value: unknown) => {
      const file: unknown = JSON.parse(text);
      const names = path.split('.');
      const last = names.pop() as string;
      const holder = names.reduce((at, name) => (at as Record<string, unknown>)[name], file);
      (holder as Record<string, unknown>)[last] = value;
      return () => readRecorded(JSON.stringify(file));
    };
    expect(() => readRecorded('{')).toThrow('invalid recorded results: ');
    expect(() => readRecorded('[]')).toThrow('at the top');
    expect(edit('version', 2)).toThrow('expected 1 at version');
    expect(edit('cells.serve.provenance.specHash', 'x')).toThrow(
      'expected 64 hexadecimal digits at cells.serve.provenance.specHash',
    );
    expect(edit('cells.load.output.value.promptTokens', [1])).toThrow(
      'at cells.load.output.value.promptTokens',
    );
    expect(edit('cells.load.output.value.promptTokens.base64', '')).toThrow(
      'expected columns of equal length at cells.load.output.value',
    );
    expect(edit('cells.serve.output.kind', 'magic')).toThrow('at cells.serve.output');
  });
});

describe('headless run', () => {
  const createRunner = () => createHeadlessRunner(createRealSession(makeNotebook([])));

  test('gives every outcome, failures among them', async () => {
    const json = JSON.stringify({
      version: 1,
      cells: [
        { id: 'load', kind: 'workload', params: { source: { type: 'csv', fileName: 'a.csv' } } },
        { id: 'serve', kind: 'serve', inputs: ['load'] },
        { id: 'attn', kind: 'attention' },
      ],
    });
    const cells = readHeadless(await createRunner()(json));
    expect(cells.get('load')).toEqual({
      state: 'failed',
      message: 'needs the file "a.csv": choose it for this cell (files never travel in a link)',
    });
    expect(cells.get('serve')!.state).toBe('failed');
    expect(cells.get('attn')).toMatchObject({
      state: 'done',
      result: { provenance: { engine: 'webgpu', appVersion: '9.9.9' } },
    });
  });

  test('refuses what is no notebook with its issues', async () => {
    await expect(
      createRunner()('{"version":1,"cells":[{"id":"A","kind":"text"}]}'),
    ).rejects.toThrow('at cells[0].id');
  });

  test('calls run one after another, also after one that was refused', async () => {
    const run = createRunner();
    const of = (seed: number) =>
      JSON.stringify({ version: 1, cells: [{ id: 'attn', kind: 'attention', params: { seed } }] });
    const [first, refused, second] = await Promise.allSettled([run(of(1)), run('[]'), run(of(2))]);
    expect(refused!.status).toBe('rejected');
    const seeds = [first, second].map((outcome) => {
      const text = (outcome as PromiseFulfilledResult<string>).value;
      return readHeadless(text).get('attn')!.result!.provenance.seed;
    });
    expect(seeds).toEqual([1, 2]);
  });
});

const RECORDED = new URL('../../../public/recorded/', import.meta.url);

test.each(readdirSync(RECORDED))('%s, which travels with the page, is read', (name) => {
  const results = readRecorded(readFileSync(new URL(name, RECORDED), 'utf8'));
  expect(results.size).toBeGreaterThan(0);
});
