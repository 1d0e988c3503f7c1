import { describe, expect, it } from 'vitest';
import { simulate } from '../../../lib/serving/core/simulation';
import { makeCostModel } from '../../../lib/serving/cost/make-cost-model';
import type { ServeResult } from '../../../lib/serving/types';
import { serveParams } from '../../../lib/spec/kinds/serve';
import { workloadParams } from '../../../lib/spec/kinds/workload';
import { cdfPoints, samplesOf } from '../../../lib/views/charts/cdf';
import { fieldLabel, formatSeconds } from '../../../lib/views/format';
import { clampViewport, panViewport, zoomViewport } from '../../../lib/views/map/viewport';
import { compare, comparisonCsv, serveColumns } from '../../../lib/views/serve-rows';
import type { ViewInput } from '../../../lib/views/view-input';
import { generateWorkload } from '../../../lib/workload/generate';

function run(strategy: object): ServeResult {
  const params = serveParams.parse({ strategy });
  const load = workloadParams.parse({
    source: { type: 'generator', requests: 120, ratePerSecond: 12 },
  });
  if (load.source.type !== 'generator') throw new Error('expected a generator');
  return simulate(params, generateWorkload(load, load.source), makeCostModel(params));
}
const vllm = run({ type: 'vllm' });
const split = run({ type: 'distserve' });

describe('distributions', () => {
  it('rise to one, and to less where requests never finished', () => {
    for (const which of ['ttft', 'tpot', 'tbt', 'e2e'] as const) {
      const points = cdfPoints('x', samplesOf(vllm, which));
      expect(points.at(-1)?.share).toBeCloseTo(1, 9);
      expect(points.length).toBeLessThanOrEqual(500);
      for (let i = 1; i < points.length; i++) {
        expect(points[i]?.seconds).toBeGreaterThanOrEqual(points[i - 1]?.seconds ?? 0);
        expect(points[i]?.share).toBeGreaterThan(points[i - 1]?.share ?? 0);
      }
    }
    const cut = {
      ...vllm,
      requests: {
        ...vllm.requests,
        completedSeconds: vllm.requests.completedSeconds.map((t, i) => (i < 60 ? t : Number.NaN)),
      },
    };
    expect(cdfPoints('x', samplesOf(cut, 'e2e')).at(-1)?.share).toBeCloseTo(0.5, 9);
  });
});

describe('comparison', () => {
  const input = (id: string, value: ServeResult | undefined): ViewInput => ({
    id,
    title: id,
    kind: 'serve',
    isStale: false,
    result:
      value === undefined
        ? undefined
        : ({
            output: { kind: 'serve', value },
            provenance: { simulated: true, costModel: 'roofline, "a"', recorded: false },
          } as ViewInput['result']),
  });
  it('marks one best per column, tells what has not run, and quotes its CSV', () => {
    const table = compare(
      [input('a', vllm), input('b', split), input('c', undefined)],
      serveColumns('p90'),
      ({ result }) => (result?.output.kind === 'serve' ? result.output.value : undefined),
    );
    expect(table.rows[2]?.cells).toBeUndefined();
    const ttft = table.headers.findIndex(({ id }) => id === 'ttft');
    const best = Math.min(vllm.metrics.ttftSeconds.p90, split.metrics.ttftSeconds.p90);
    expect(table.rows.slice(0, 2).map((row) => row.cells?.[ttft]?.isBest)).toEqual([
      vllm.metrics.ttftSeconds.p90 === best,
      split.metrics.ttftSeconds.p90 === best,
    ]);
    const lines = comparisonCsv(table).trim().split('\r\n');
    expect(lines).toHaveLength(4);
    expect(lines[1]).toContain('"simulated, roofline, ""a"""');
    expect(lines[1]).toContain(String(vllm.metrics.ttftSeconds.p90));
  });
});

describe('map viewport', () => {
  it('zooms about a point, keeps eight cells, and never leaves the map', () => {
    const whole = { queryStart: 0, queryEnd: 4096, keyStart: 0, keyEnd: 4096 };
    let view = whole;
    for (let i = 0; i < 60; i++) view = zoomViewport(view, 0.7, 1000.5, 2000.5, 4096, 4096);
    expect(view.queryEnd - view.queryStart).toBeCloseTo(8, 9);
    expect(view.queryStart).toBeLessThan(1000.5);
    expect(view.queryEnd).toBeGreaterThan(1000.5);
    expect(view.keyStart).toBeLessThan(2000.5);
    expect(view.keyEnd).toBeGreaterThan(2000.5);
    expect(panViewport(view, -1e6, 1e6, 4096, 4096)).toMatchObject({ queryStart: 0, keyEnd: 4096 });
    expect(
      clampViewport({ queryStart: -5, queryEnd: 9000, keyStart: 3, keyEnd: 4 }, 4096, 4),
    ).toEqual({ queryStart: 0, queryEnd: 4096, keyStart: 0, keyEnd: 4 });
  });
});

describe('words', () => {
  it('prints durations in a unit that suits them and fields with their unit', () => {
    expect([0, 4.2e-5, 0.0312, 1.254, 7200, Number.NaN].map(formatSeconds)).toEqual([
      '0 s',
      '42 \u00b5s',
      '31.2 ms',
      '1.25 s',
      '120 min',
      'none',
    ]);
    expect(
      [
        'tokenBudget',
        'ttftSeconds',
        'linkGigabytesPerSecond',
        'ratePerSecond',
        'windowTokens',
        'kvBlocks',
      ].map(fieldLabel),
    ).toEqual([
      'token budget',
      'TTFT (s)',
      'link (GB/s)',
      'rate (/s)',
      'window (tokens)',
      'KV blocks',
    ]);
  });
});
