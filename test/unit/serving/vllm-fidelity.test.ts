import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { readEngineSettings } from '../../../lib/cli/check/engine-settings';
import { readMeasuredRun } from '../../../lib/cli/check/run-folder';
import { readTableFolder } from '../../../lib/cli/check/table-folder';
import { compareRun, paramsOf, tablesCostModel, type VllmCheck } from '../../../lib/cli/check/vllm';

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

    it('is met worse when the scheduler does not work one step ahead', async () => {
      const ahead = await check();
      const lockstep = await check({ asyncScheduling: false });
      expect(lockstep.ttftMeanPct).toBeLessThan(ahead.ttftMeanPct);
    });
  },
);
