import { existsSync, readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { checkVidurRun } from '../../../lib/serving/fidelity/vidur-parity';

const DATA = new URL('../../../../shared/data/vidur/', import.meta.url);
const isPresent = existsSync(DATA);
const read = (name: string): unknown =>
  JSON.parse(gunzipSync(readFileSync(new URL(`${name}.json.gz`, DATA))).toString('utf8'));

const RUNS = [
  ['tables_a100_llama3-8b_tp1_std', 'a100_llama3-8b_tp1_vllm_conv_t5'],
  ['tables_a100_llama3-8b_tp1_std', 'a100_llama3-8b_tp1_sarathi_conv_t5'],
  ['tables_a100_llama3-8b_tp1_fullscan', 'a100_llama3-8b_tp1_orca_conv_t5'],
  [
    'tables_a100_llama3-8b_tp1_fullscan',
    'a100_llama3-8b_tp1_faster_transformer_conv_t1.5_cap32_fix',
  ],
  ['tables_a100_llama3-8b_tp1_lightllm', 'a100_llama3-8b_tp1_lightllm_conv_t2'],
  ['tables_a100_llama3-70b_tp2_std', 'a100_llama3-70b_tp2_vllm_conv_t0.5'],
  ['tables_a100_llama3-70b_tp2_std', 'a100_llama3-70b_tp2_sarathi_conv_t0.5'],
] as const;

describe.skipIf(!isPresent)(
  'reference runs of Vidur (SKIPPED where ../shared/data/vidur is absent)',
  () => {
    it.each(RUNS)('%s, %s: equal to 1e-9 s', (tables, run) => {
      const check = checkVidurRun(read(tables), read(run));
      expect(check.maxAbsTtftSeconds).toBeLessThan(1e-9);
      expect(check.maxAbsE2eSeconds).toBeLessThan(1e-9);
      expect(check.iterations).toBe(check.expectedIterations);
      expect(check.restarts).toBe(check.expectedRestarts);
    });

    it('names a scheduler that it does not have', () => {
      const run = read('a100_llama3-8b_tp1_vllm_conv_t5') as { config: object };
      expect(() =>
        checkVidurRun(read('tables_a100_llama3-8b_tp1_std'), {
          ...run,
          config: { ...run.config, scheduler: 'mystery' },
        }),
      ).toThrow(/invalid scheduler: mystery \(expected vllm, sarathi, orca/);
    });
  },
);
