import { beforeAll, describe, expect, it } from 'vitest';
import { decodeOnCpu } from '../../../lib/gpu/decode-on-cpu';
import { runDecode } from '../../../lib/gpu/run-decode';
import { runRecurrentOnCpu } from '../../../lib/gpu/run-recurrent-on-cpu';
import type { CellOutput } from '../../../lib/run/types';
import { decodeParams } from '../../../lib/spec/kinds/decode';
import { recurrentParams } from '../../../lib/spec/kinds/recurrent';
import { plotParams } from '../../../lib/spec/kinds/views';
import { parseNotebook } from '../../../lib/spec/validate';
import { chartsOf, makeChart } from '../../../lib/views/charts/marks';
import { kindTables } from '../../../lib/views/kernel-rows';
import { baseLayer, layerTop, SIDE, windowLayer } from '../../../lib/views/map/layer';
import { windowProfiles } from '../../../lib/views/map/profiles';
import { comparisonCsv } from '../../../lib/views/serve-rows';
import type { ViewInput } from '../../../lib/views/view-input';
import { composeHere, SMALL } from '../attention/compose-run';

const input = (id: string, output: CellOutput): ViewInput => ({
  id,
  title: id,
  kind: output.kind,
  isStale: false,
  result: {
    output,
    provenance: { recorded: false, simulated: false, engine: 'cpu' },
  } as ViewInput['result'],
});
const idle = (id: string, kind: ViewInput['kind']): ViewInput => ({
  id,
  title: id,
  kind,
  isStale: false,
  result: undefined,
});

let parts: ViewInput;
let delta: ViewInput;
let step: ViewInput;

beforeAll(async () => {
  const { signal } = new AbortController();
  const report = () => undefined;
  const composed = await composeHere(SMALL);
  parts = input('parts', { kind: 'compose', value: composed.result });
  const recurrent = recurrentParams.parse({
    shape: { tokens: 30, keySize: 8, valueSize: 8, heads: 2 },
    rule: { type: 'delta' },
  });
  const ran = await runRecurrentOnCpu(recurrent, undefined, signal, report);
  delta = input('delta', { kind: 'recurrent', value: ran });
  const decode = decodeParams.parse({
    shape: { keys: 64, queryHeads: 4, headSize: 32 },
    timedRuns: 1,
  });
  const stepped = await runDecode(decode, decodeOnCpu, signal, report);
  step = input('step', { kind: 'decode', value: stepped });
});

describe('charts of kernel cells', () => {
  const chart = (name: string, inputs: readonly ViewInput[]) =>
    makeChart(plotParams.parse({ chart: name }), inputs);

  it('offer what the inputs can fill, and show the first of it where the chart named has nothing', () => {
    expect(chartsOf([parts])).toEqual(['kernel-time', 'part-mass']);
    expect(chartsOf([idle('a', 'decode')])).toEqual([
      'attention-roofline',
      'kernel-time',
      'storage-error',
      'state-bytes',
    ]);
    expect(chart('ttft-cdf', [parts])?.name).toBe('kernel-time');
    expect(chart('recall', [idle('a', 'recurrent'), parts])).toBeUndefined();
  });

  it('times have a row for every call, storage and layer', () => {
    const rows = chart('kernel-time', [parts, delta, step])?.rows ?? [];
    expect(rows.map(({ series }) => series)).toEqual([
      'parts: recent',
      'parts: older',
      'parts: composing',
      'parts: as one call',
      'delta',
      'step: f32',
      'step: int8 per token',
    ]);
    expect(rows.every(({ milliseconds }) => Number(milliseconds) >= 0)).toBe(true);
  });

  it('mass of the parts sums to 1 at every query', () => {
    const rows = chart('part-mass', [parts])?.rows ?? [];
    const sums = new Map<number, number>();
    for (const { position, share } of rows) {
      sums.set(Number(position), (sums.get(Number(position)) ?? 0) + Number(share));
    }
    expect(sums.size).toBe(70);
    for (const sum of sums.values()) expect(sum).toBeCloseTo(1, 6);
  });

  it('the recall of a delta rule and its overwrite are those of the result', () => {
    if (delta.result?.output.kind !== 'recurrent') throw new Error('no result');
    const { recall } = delta.result.output.value;
    const rows = chart('recall', [delta])?.rows ?? [];
    expect(rows.map(({ relativeError }) => relativeError)).toEqual(recall?.errors);
    expect(rows[0]?.overwriteError).toBeLessThan(1e-6);
  });

  it('bytes of a state stay, those of caches grow with the tokens', () => {
    const rows = chart('state-bytes', [delta, step])?.rows ?? [];
    const of = (name: string) => rows.filter(({ series }) => series === name);
    const bytes = (name: string) => of(name).map((row) => Number(row.bytes));
    expect(new Set(bytes('delta')).size).toBe(1);
    const cache = of('step: f32');
    // 2 KV heads of 32 channels, keys and values, 4 bytes each.
    expect(cache.map((row) => Number(row.bytes) / Number(row.contextTokens))).toEqual(
      cache.map(() => 512),
    );
    expect(bytes('step: int8 per token').at(-1)).toBeLessThan(bytes('step: f32').at(-1) ?? 0);
  });
});

describe('tables of kernel cells', () => {
  it('are one per kind, with a row per part, and a row for what has not run', () => {
    const tables = kindTables([parts, idle('later', 'compose'), delta, step], 'p90');
    expect(tables.map(({ title }) => title)).toEqual([
      'compositions',
      'their calls',
      'storages of decode steps',
      'recurrent layers',
    ]);
    const [whole, calls, storages, layers] = tables.map(({ comparison }) => comparison);
    expect(whole?.rows.map(({ id, cells }) => [id, cells === undefined])).toEqual([
      ['parts', false],
      ['later', true],
    ]);
    expect(calls?.rows.map(({ id }) => id)).toEqual(['parts: recent', 'parts: older']);
    const share = calls?.headers.findIndex(({ id }) => id === 'mass') ?? -1;
    const shares = calls?.rows.map(({ cells }) => cells?.[share]?.value ?? 0) ?? [];
    expect(shares.reduce((sum, each) => sum + each, 0)).toBeCloseTo(1, 6);
    expect(storages?.rows.map(({ id }) => id)).toEqual(['step: f32', 'step: int8 per token']);
    expect(comparisonCsv(layers!)).toContain('overwrite error');
  });
});

describe('signed layers', () => {
  const probabilities = Float32Array.of(Number.NaN, -2, 0.5, 1);
  const window = { queryStart: 0, queryEnd: 2, keyStart: 0, keyEnd: 2, probabilities };

  it('have sides but no operands, and a scale that ends at the largest magnitude', () => {
    const layer = windowLayer(window, true);
    expect([...(layer.sides ?? [])]).toEqual([SIDE.neither, SIDE.both, SIDE.both, SIDE.both]);
    expect(layerTop(layer, 'max', false)).toBe(2);
    expect(windowLayer(window).sides).toBeUndefined();
    const base = {
      rows: 2,
      columns: 2,
      queries: 2,
      keys: 2,
      max: probabilities,
      mean: probabilities,
    };
    expect(baseLayer(base, 'mean', true).sides).toEqual(layer.sides);
  });

  it('have profiles of the largest magnitude with its sign', () => {
    const { queries, isSigned } = windowProfiles(window, window, true);
    expect([...queries.values]).toEqual([-2, 1]);
    expect(isSigned).toBe(true);
  });
});

describe('inputs of maps', () => {
  const messages = (inputs: readonly string[], params: object) => {
    const parsed = parseNotebook({
      version: 1,
      cells: [
        { id: 'att', kind: 'attention' },
        { id: 'com', kind: 'compose' },
        { id: 'rec', kind: 'recurrent' },
        { id: 'dec', kind: 'decode' },
        { id: 'load', kind: 'workload' },
        { id: 'm', kind: 'map', inputs, params },
      ],
    });
    return parsed.ok ? [] : parsed.issues.map(({ message }) => message);
  };

  it('are of the four kinds that have matrices, and of caches', () => {
    for (const id of ['att', 'com', 'rec', 'dec']) expect(messages([id], {})).toEqual([]);
    expect(messages(['load'], {})).toEqual([
      'invalid input: "load" is of kind workload (expected attention or compose or recurrent or decode or cache)',
    ]);
  });

  it('have the head and the storage that a map asks for', () => {
    expect(messages(['rec'], { head: 4 })).toEqual(['invalid head: 4 (expected 0..3 of "rec")']);
    expect(messages(['com'], { batch: 2 })).toEqual(['invalid batch: 2 (expected 0..0 of "com")']);
    expect(messages(['dec'], { head: 1, storage: 2 })).toEqual([
      'invalid head: 1 (expected 0..0 of "dec")',
    ]);
    expect(messages(['dec'], { storage: 3 })).toEqual([
      'invalid storage: 3 (expected 0..2 of "dec")',
    ]);
    expect(messages(['att'], { storage: 1 })).toEqual([
      'invalid storage: 1 (expected 0..0 of inputs that are no decode cells)',
    ]);
  });
});
