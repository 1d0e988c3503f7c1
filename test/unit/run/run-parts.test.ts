import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { usefulFlops } from '../../../lib/attention/checks';
import { APP_VERSION } from '../../../lib/run/app-version';
import { contentKeys } from '../../../lib/run/content-key';
import { CHEAP_SECONDS, createEstimator } from '../../../lib/run/estimate';
import { type JobCell, missingFileMessage, neededFileName } from '../../../lib/run/job-kinds';
import { createResultCache, estimateBytes } from '../../../lib/run/result-cache';
import { sha256Hex, specHashes } from '../../../lib/run/spec-hash';
import type { CellOutput } from '../../../lib/run/types';
import { fakeAttention, fakeWorkload, makeNotebook, withParams } from './fakes';

const NOTEBOOK = makeNotebook([
  { id: 'load', kind: 'workload' },
  { id: 'serve', kind: 'serve', inputs: ['load'] },
  { id: 'attn', kind: 'attention' },
]);
const [load, serve, attn] = NOTEBOOK.cells as [JobCell, JobCell, JobCell];

test('the version written into results is the package', () => {
  const { version } = JSON.parse(
    readFileSync(new URL('../../../package.json', import.meta.url), 'utf8'),
  );
  expect(APP_VERSION).toBe(version);
});

describe('content keys and spec hashes', () => {
  const file = { name: 'a.csv', size: 10, lastModified: 5 };

  test('sha256Hex is SHA-256', async () => {
    expect(await sha256Hex('abc')).toBe(
      'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
    );
  });

  test('change with params and inputs of ancestors, and with nothing else', async () => {
    const hashes = (notebook: typeof NOTEBOOK) => specHashes(notebook, new Map(), sha256Hex);
    const before = await hashes(NOTEBOOK);
    const after = await hashes(withParams(NOTEBOOK, 'load', { seed: 2 }));
    expect(after.get('attn')).toBe(before.get('attn'));
    expect(after.get('load')).not.toBe(before.get('load'));
    expect(after.get('serve')).not.toBe(before.get('serve'));
    expect(await hashes({ ...NOTEBOOK, title: 'other' })).toEqual(before);
    const reordered = Object.fromEntries(Object.entries(load.params).reverse());
    const same = { ...NOTEBOOK, cells: [{ ...load, params: reordered }, serve, attn] };
    expect(await hashes(same as typeof NOTEBOOK)).toEqual(before);
  });

  test('tell bound files apart by name, size and date, where the cell reads one', () => {
    const source = { type: 'azure-csv', fileName: 'a.csv' } as never;
    const notebook = withParams(NOTEBOOK, 'load', { source });
    const key = (at: typeof NOTEBOOK, bound?: typeof file) =>
      contentKeys(at, new Map(bound ? [['load', bound]] : [])).get('serve');
    const keys = [
      key(notebook),
      key(notebook, file),
      key(notebook, { ...file, size: 11 }),
      key(notebook, { ...file, lastModified: 6 }),
      key(notebook, { ...file, name: 'b.csv' }),
    ];
    expect(new Set(keys).size).toBe(5);
    expect(key(NOTEBOOK, file)).toBe(key(NOTEBOOK));
  });

  test('end on documents with cycles and missing inputs', () => {
    const keys = contentKeys(
      makeNotebook([
        { id: 'a', kind: 'serve', inputs: ['b'] },
        { id: 'b', kind: 'serve', inputs: ['a'] },
        { id: 'c', kind: 'serve', inputs: ['gone'] },
      ]),
      new Map(),
    );
    expect([...keys.keys()].sort()).toEqual(['a', 'b', 'c']);
  });
});

describe('result cache', () => {
  test('counts buffers in full, and a shared buffer once', () => {
    expect(estimateBytes(new Float64Array(100))).toBe(800);
    const buffer = new ArrayBuffer(400);
    const views = [new Float32Array(buffer, 0, 50), new Float32Array(buffer, 200, 50)];
    expect(estimateBytes(views)).toBe(16 + 400);
    expect(estimateBytes({ text: 'abcd', count: 1, none: undefined })).toBe(16 + 8 + 8 + 8);
  });

  test('drops the least recently used until the bound holds', () => {
    const cache = createResultCache<Uint8Array>(100);
    cache.set('a', new Uint8Array(40));
    cache.set('b', new Uint8Array(40));
    cache.get('a');
    cache.set('c', new Uint8Array(40));
    expect(['a', 'b', 'c'].map((key) => cache.get(key) !== undefined)).toEqual([true, false, true]);
    expect(cache.bytes()).toBe(80);
    cache.set('a', new Uint8Array(101));
    expect(cache.get('a')).toBeUndefined();
    expect(cache.bytes()).toBe(40);
    cache.clear();
    expect([cache.bytes(), cache.get('c')]).toEqual([0, undefined]);
  });
});

describe('estimates', () => {
  const none = { workload: undefined, fileBytes: undefined };

  test('a check has its own time, and one that ran tells of the machine', () => {
    const estimator = createEstimator();
    const nothing = { workload: undefined, fileBytes: undefined };
    const check = (id: string) =>
      makeNotebook([{ id: 'c', kind: 'check', params: { check: id } }]).cells[0] as JobCell;
    const before = ['saga', 'snapkv', 'constructor', 'made-up'].map((id) =>
      estimator.seconds(check(id), nothing),
    ) as number[];
    expect(before[0]).toBeGreaterThan(2 * before[1]!);
    expect(before.slice(2)).toEqual([5, 5]);
    const output = { kind: 'check', value: { params: { check: 'saga', seed: 1 } } };
    estimator.learn(check('saga'), output as CellOutput, 3 * before[0]!, nothing);
    expect(estimator.seconds(check('saga'), nothing)).toBeCloseTo(3 * before[0]!, 9);
    expect(estimator.seconds(check('snapkv'), nothing)).toBeCloseTo(3 * before[1]!, 9);
  });

  test('start on the slow side and follow what was measured', () => {
    const estimator = createEstimator();
    const before = estimator.seconds(attn, none)!;
    expect(before).toBeGreaterThan(1);
    const result = fakeAttention(attn.params as never);
    const timing = { ...result.timing, gigaflopsPerSecond: 1000, medianSeconds: 0.001 };
    const output: CellOutput = { kind: 'attention', value: { ...result, timing } };
    estimator.learn(attn, output, 0.25, none);
    const after = estimator.seconds(attn, none)!;
    const kernels = (8 * usefulFlops(attn.params as never)) / 1e12;
    expect(after).toBeGreaterThan(kernels);
    expect(after).toBeLessThan(0.3);
  });

  test('a short first run, mostly start-up, does not make a cheap workload heavy', () => {
    const estimator = createEstimator();
    const made = fakeWorkload(load.params as never);
    estimator.learn(load, { kind: 'workload', value: made }, 0.4, none);
    expect(estimator.seconds(load, none)).toBeLessThan(CHEAP_SECONDS);
    const big = withParams(NOTEBOOK, 'load', {
      source: { type: 'generator', lengths: 'fixed', requests: 2_000_000 },
      maxRequests: 2_000_000,
    } as never).cells[0] as JobCell;
    expect(estimator.seconds(big, none)).toBeGreaterThan(1);
  });

  test('of a simulation grow with its output tokens; unknown without a workload', () => {
    const estimator = createEstimator();
    const of = (outputTokens: number) =>
      estimator.seconds(serve, {
        ...none,
        workload: {
          ...fakeWorkload(load.params as never),
          outputTokens: Int32Array.of(outputTokens, outputTokens),
        },
      })!;
    expect(of(10_000)).toBeGreaterThan(5 * of(1000));
    expect(estimator.seconds(serve, none)).toBeUndefined();
    expect(estimator.seconds(serve, { ...none, workload: load.params as never })).toBeGreaterThan(
      0,
    );
  });
});

test('file needs follow the params', () => {
  expect(neededFileName(load)).toBeUndefined();
  const tables = withParams(NOTEBOOK, 'serve', {
    costModel: { type: 'tables', fileName: 't.json' },
  }).cells[1]!;
  expect(neededFileName(tables)).toBe('t.json');
  expect(missingFileMessage('')).toBe('needs a file: choose one for this cell');
});
