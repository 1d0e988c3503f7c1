import type { AttentionParams } from '../spec/kinds/attention';
import { type TensorToWrite, writeTensors } from '../tensors/write';
import type { AttentionInputs, AttentionOutput } from './types';

/**
 * Q, K, V, output and LSE of a call as a safetensors file, layout bhnd; what was computed in f64
 * stays F64. The metadata says what was computed: `params` as JSON, the layout, and the tokens.
 */
export function tensorFile(
  params: AttentionParams,
  inputs: AttentionInputs,
  { output, lse }: AttentionOutput,
  tokens?: readonly string[] | undefined,
): Blob {
  const { batch, queryHeads, kvHeads, queries, keys, headSize } = params.shape;
  const tensor = (
    name: string,
    values: Float32Array | Float64Array,
    shape: readonly number[],
  ): TensorToWrite => ({
    name,
    dtype: values instanceof Float64Array ? 'F64' : 'F32',
    shape,
    data: values as Float32Array<ArrayBuffer> | Float64Array<ArrayBuffer>,
  });
  const kv = [batch, kvHeads, keys, headSize];
  return writeTensors(
    [
      tensor('q', inputs.query, [batch, queryHeads, queries, headSize]),
      tensor('k', inputs.key, kv),
      tensor('v', inputs.value, kv),
      tensor('output', output, [batch, queryHeads, queries, headSize]),
      tensor('lse', lse, [batch, queryHeads, queries]),
    ],
    {
      format: 'pt',
      layout: 'bhnd',
      params: JSON.stringify(params),
      ...(tokens === undefined ? {} : { tokens: JSON.stringify(tokens) }),
    },
  );
}
