import type { SiliconTexts } from '../../../lib/serving/calibrate/samples-from-silicon';
import { MODELS } from '../../../lib/serving/presets/models';

const TOKENS = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048];
const model = MODELS['llama-3.1-8b'];
const HEADS = `${model.queryHeads},${model.kvHeads},${model.headSize},bfloat16,0`;

/** Tables in AIConfigurator's columns of an H100 that does not exist; every product takes 20 us and 0.05 us a token. */
export function madeUpSilicon(): SiliconTexts {
  const gemms = [1024, 4096, 8192, 16_384, 32_768, 65_536].flatMap((n) =>
    [4096, 16_384].flatMap((k) =>
      TOKENS.map((m) => `NVIDIA H100,bfloat16,${m},${n},${k},${(20 + 0.05 * m) / 1000}`),
    ),
  );
  const batches = [1, 2, 4, 8, 16];
  const lengths = [16, 64, 256, 1024];
  const context = batches.flatMap((batch) =>
    lengths.map((isl) => {
      const us = 10 + 0.01 * batch * isl + 0.00002 * batch * isl ** 2;
      return `${batch},${isl},${HEADS},${us / 1000}`;
    }),
  );
  const generation = batches.flatMap((batch) =>
    lengths.map((step) => {
      const us = 9 + 0.2 * batch + 0.001 * batch * (1 + step);
      return `${batch},1,${step},${HEADS},${us / 1000}`;
    }),
  );
  const shape = 'num_heads,num_key_value_heads,head_dim,kv_cache_dtype,window_size,latency';
  return {
    gemm_perf: ['device,gemm_dtype,m,n,k,latency', ...gemms].join('\n'),
    context_attention_perf: [`batch_size,isl,${shape}`, ...context].join('\n'),
    generation_attention_perf: [`batch_size,isl,step,${shape}`, ...generation].join('\n'),
  };
}
madeUpSilicon.choices = { model };
