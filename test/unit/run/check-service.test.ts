import { describe, expect, it } from 'vitest';
import { type CheckedFile, createCheckService } from '../../../lib/run/check-service';
import { comparisonCsv, latencyPairs, quantileRows } from '../../../lib/views/fidelity-rows';
import { madeUpRows, madeUpRun } from '../cli/made-up-run';
import { madeUpProfile } from '../serving/made-up-profile';

const rows = madeUpRows();
const ignore = () => undefined;

const filesOf = (files: Readonly<Record<string, string>>): readonly CheckedFile[] =>
  Object.entries(files).map(([path, text]) => ({ path, file: new Blob([text]) }));

/** Times of the simulator itself: a run that took `slower` times as long. */
async function selfMade(slower: number) {
  const any = madeUpRun(
    rows,
    { first: rows.map(({ arrival }) => arrival + 1), last: rows.map(({ arrival }) => arrival + 2) },
    1,
  );
  const service = createCheckService();
  const first = await service.vllm(1, filesOf({ ...any, ...madeUpProfile() }), {}, ignore);
  const { firstTokenSeconds, lastTokenSeconds } = first.simulated;
  const run = madeUpRun(rows, { first: firstTokenSeconds, last: lastTokenSeconds }, slower);
  return service.vllm(2, filesOf({ ...run, ...madeUpProfile() }), {}, ignore);
}

describe('replays in a worker', () => {
  it('gives the errors of the command line and every request behind them', async () => {
    const found = await selfMade(1.25);
    expect(found.hasTables).toBe(true);
    expect(found.check.tpotMeanPct).toBeCloseTo(-20, 2);
    for (const latency of ['ttft', 'tpot', 'e2e'] as const) {
      const pairs = latencyPairs(found, latency);
      expect(pairs).toHaveLength(rows.length);
      for (const { measured, simulated } of pairs) expect(simulated / measured).toBeCloseTo(0.8, 6);
      const [mean] = quantileRows(pairs);
      expect(mean?.errorPct).toBeCloseTo(-20, 2);
    }
    const lines = comparisonCsv(found).trim().split('\n');
    expect(lines).toHaveLength(rows.length + 1);
    expect(lines[1]?.split(',')).toHaveLength(8);
  });

  it('takes what the files do not say, and says what is missing', async () => {
    const service = createCheckService();
    const { check } = await selfMade(1);
    expect(check.kvBlocks).toBe(300);
    await expect(service.vllm(1, filesOf({ 'run/meta.json': '{}' }), {}, ignore)).rejects.toThrow(
      'missing requests.jsonl: choose the folder of a run',
    );
    await expect(service.vidur(1, filesOf({ 'a.json': '{' }))).rejects.toThrow(
      'a.json: expected JSON, plain or gzip',
    );
    await expect(service.vidur(1, filesOf({ 'a.json': '{}' }))).rejects.toThrow(
      'found 0 reference runs and 1 tables (expected one JSON file of each)',
    );
  });
});
