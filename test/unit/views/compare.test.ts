import { describe, expect, it } from 'vitest';
import { simulate } from '../../../lib/serving/core/simulation';
import { makeCostModel } from '../../../lib/serving/cost/make-cost-model';
import { serveParams } from '../../../lib/spec/kinds/serve';
import { workloadParams } from '../../../lib/spec/kinds/workload';
import {
  differences,
  pairProblem,
  type RunPair,
  sortDifferences,
  thinned,
} from '../../../lib/views/compare/compare-runs';
import { differencesCsv, gainsText, summaryRows } from '../../../lib/views/compare/rows';
import { generateWorkload } from '../../../lib/workload/generate';

function runOf(type: string, seed = 1) {
  const params = workloadParams.parse({ source: { type: 'generator', requests: 120 }, seed });
  if (params.source.type !== 'generator') throw new Error('expected a generator');
  const serve = serveParams.parse({ strategy: { type } });
  return simulate(serve, generateWorkload(params, params.source), makeCostModel(serve));
}
const pair: RunPair = { names: ['v0', 'chunked'], runs: [runOf('vllm'), runOf('sarathi')] };

describe('two runs of one trace', () => {
  it('are told from runs of two, by the first request that differs', () => {
    expect(pairProblem(pair)).toBeUndefined();
    const other: RunPair = { ...pair, runs: [pair.runs[0], runOf('sarathi', 2)] };
    expect(pairProblem(other)).toMatch(/^the runs are not of one trace: request \d+ /);
  });

  it('count who gained and who lost, none twice', () => {
    const { rows, gained, lost, equal, onlyFirst, onlySecond } = differences(pair, 'e2e');
    expect(gained + lost + equal + onlyFirst + onlySecond).toBe(120);
    expect(gained).toBeGreaterThan(0);
    expect(lost).toBeGreaterThan(0);
    const mirrored = differences({ ...pair, runs: [pair.runs[1], pair.runs[0]] }, 'e2e');
    expect([mirrored.gained, mirrored.lost]).toEqual([lost, gained]);
    const same = differences({ ...pair, runs: [pair.runs[0], pair.runs[0]] }, 'ttft');
    expect([same.equal, same.medianRatio]).toEqual([120, 1]);
    const [first] = sortDifferences(rows, 'lost');
    expect(first?.change).toBe(Math.max(...rows.map(({ change }) => change)));
    const [most] = sortDifferences(rows, 'gained');
    expect(most?.change).toBe(Math.min(...rows.map(({ change }) => change)));
    expect(thinned(rows, 50).length).toBeLessThanOrEqual(50);
    expect(differencesCsv(pair, rows).trim().split('\r\n')).toHaveLength(121);
  });

  it('put what has no figure last, and counts it', () => {
    const [a, b] = pair.runs;
    const completedSeconds = b.requests.completedSeconds.slice();
    completedSeconds[5] = Number.NaN;
    const cut: RunPair = {
      ...pair,
      runs: [a, { ...b, requests: { ...b.requests, completedSeconds } }],
    };
    const found = differences(cut, 'e2e');
    expect(found.onlyFirst).toBe(1);
    expect(sortDifferences(found.rows, 'lost').at(-1)?.id).toBe(5);
    expect(sortDifferences(found.rows, 'gained').at(-1)?.id).toBe(5);
    expect(gainsText(cut, 'e2e', found)).toContain('1 have the figure in v0 alone');
  });

  it('give the second over the first, and say which end is better', () => {
    const rows = summaryRows(pair);
    const ttft = rows.find(({ name }) => name.startsWith('TTFT'));
    const [a, b] = pair.runs.map(({ metrics }) => metrics.ttftSeconds.p90) as [number, number];
    expect(ttft?.ratio).toBeCloseTo(b / a, 12);
    expect(ttft?.verdict).toBe(b < a ? 'better' : 'worse');
  });
});
