import { describe, expect, it } from 'vitest';
import { readSilicon } from '../../../lib/cli/check/read-silicon';

const HEADER =
  'backend,backend_version,model_path,system,gemm_quant_mode,isl,osl,batch_size,tp_size,pp_size,silicon_ttft_ms,silicon_tpot_ms';
const row = (tpot: number | string, more = 'vllm,0.12.0') =>
  `${more},Qwen/Qwen3-32B,h100_sxm,fp8,1024,128,16,2,1,100,${tpot}`;

describe('closed-loop measurements', () => {
  it('gather the repeats of a configuration', () => {
    const found = readSilicon(
      's.csv',
      [HEADER, row(10), row(11), row(12, 'vllm,0.13.0')].join('\n'),
    );
    expect(found.map(({ tpotSeconds }) => tpotSeconds)).toEqual([[0.01, 0.011], [0.012]]);
    expect(found[0]).toMatchObject({
      backend: 'vllm',
      gemm: 'fp8',
      tensorParallel: 2,
      promptTokens: 1024,
      outputTokens: 128,
      concurrency: 16,
      ttftSeconds: [0.1, 0.1],
    });
  });

  it('say where they are wrong', () => {
    expect(() => readSilicon('s.csv', 'a,b\n1,2')).toThrow(
      /s.csv: line 1: missing column backend, model_path/,
    );
    expect(() => readSilicon('s.csv', [HEADER, row(10), row('fast')].join('\n'))).toThrow(
      's.csv: line 3: invalid silicon_tpot_ms: "fast" (expected a number above 0)',
    );
    expect(() =>
      readSilicon('s.csv', [HEADER, row(10).replace(',2,1,', ',2,2,')].join('\n')),
    ).toThrow('s.csv: line 2: pipelines are not modelled (pp_size 2)');
  });
});
