import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, vi } from 'vitest';
import { readMeasuredRun } from '../../../lib/cli/check/run-folder';
import { checkSilicon } from '../../../lib/cli/check/silicon';
import { readTableFolder } from '../../../lib/cli/check/table-folder';
import { fitProfileNow } from '../../../lib/serving/calibrate/fit-profile';
import { readEngineSettings } from '../../../lib/serving/fidelity/engine-settings';
import {
  analyticCostModel,
  compareRun,
  fittedCostModelOf,
  paramsOf,
  tablesCostModel,
  type VllmCheck,
} from '../../../lib/serving/fidelity/replay-run';

const DATA = new URL('../../../../shared/data/', import.meta.url);
const isPresent = existsSync(new URL('vllm-runs/', DATA));
const path = (name: string): string => fileURLToPath(new URL(name, DATA));
const RUN = 'vllm-runs/rtxpro6000-llama-3.1-8b';

async function check(more: object = {}): Promise<VllmCheck> {
  const run = await readMeasuredRun(path(RUN), path('traces/sharegpt-llama-3.1-8b-300.jsonl'));
  const files = await readTableFolder(path('op-tables/rtxpro6000-llama-3.1-8b/tp1'));
  const settings = readEngineSettings('meta.json', run.meta, { gpu: 'RTX PRO 6000' });
  return compareRun(run, paramsOf({ ...settings, ...more }), tablesCostModel(files, settings));
}

describe.skipIf(!isPresent)(
  'a measured run of vLLM 0.19 (SKIPPED where ../shared/data is absent)',
  () => {
    it('is met from operator tables, nothing fitted to it', async () => {
      const found = await check();
      expect(Math.abs(found.tpotMeanPct)).toBeLessThanOrEqual(2);
      expect(Math.abs(found.e2eMeanPct)).toBeLessThanOrEqual(2.5);
      expect(Math.abs(found.makespanPct)).toBeLessThanOrEqual(2);
      expect(Math.abs(found.ttftMeanPct)).toBeLessThanOrEqual(5);
      expect(found.requests).toBe(300);
      // The engine reported 7.6 %.
      expect(found.prefixHitPct).toBeCloseTo(7.6, 1);
    });

    it('is met from a profile of some forty costs fitted to the same tables, not to the run', async () => {
      const run = await readMeasuredRun(path(RUN), path('traces/sharegpt-llama-3.1-8b-300.jsonl'));
      const files = await readTableFolder(path('op-tables/rtxpro6000-llama-3.1-8b/tp1'));
      const { profile } = fitProfileNow({ type: 'tables', files, choices: {} });
      const settings = readEngineSettings('meta.json', run.meta, { gpu: 'RTX PRO 6000' });
      const costModel = fittedCostModelOf(profile, settings);
      const found = compareRun(run, paramsOf(settings), costModel);
      expect(Math.abs(found.tpotMeanPct)).toBeLessThanOrEqual(2);
      expect(Math.abs(found.e2eMeanPct)).toBeLessThanOrEqual(2.5);
      expect(Math.abs(found.makespanPct)).toBeLessThanOrEqual(2);
      expect(Math.abs(found.ttftMeanPct)).toBeLessThanOrEqual(5);
    });

    it('is met worse when the scheduler does not work one step ahead', async () => {
      const ahead = await check();
      const lockstep = await check({ asyncScheduling: false });
      expect(lockstep.ttftMeanPct).toBeLessThan(ahead.ttftMeanPct);
    });
  },
);

describe.skipIf(!isPresent)(
  'runs without tables of their accelerator and model (SKIPPED where ../shared/data is absent)',
  () => {
    it('a run of vLLM 0.19, from operator fits of other accelerators', async () => {
      const run = await readMeasuredRun(path(RUN), path('traces/sharegpt-llama-3.1-8b-300.jsonl'));
      const settings = readEngineSettings('meta.json', run.meta, { gpu: 'RTX PRO 6000' });
      const found = compareRun(run, paramsOf(settings), analyticCostModel(settings));
      expect(found.costModel).toMatch(/^calibrated, Llama 3.1 8B on 1 x RTX PRO 6000/);
      expect(Math.abs(found.tpotMeanPct)).toBeLessThanOrEqual(8);
      expect(Math.abs(found.e2eMeanPct)).toBeLessThanOrEqual(10);
    });

    it('closed loops on H100, from tables of its operators: median TPOT within 12 %', async () => {
      const log = vi.spyOn(console, 'log').mockImplementation(() => undefined);
      const args = ['--file', path('silicon/h100-dense-aggregated.csv')];
      expect(await checkSilicon([...args, '--tables', path('op-tables/h100-vllm-0.24')])).toBe(0);
      const found = JSON.parse(String(log.mock.calls[0]?.[0])) as Record<string, number>;
      vi.restoreAllMocks();
      expect(found.configurations).toBe(579);
      expect(found.tpotMedianAbsPct).toBeLessThanOrEqual(12);
    }, 120_000);
  },
);
