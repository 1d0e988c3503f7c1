import type * as Ort from 'onnxruntime-web';
import { type Engine, swapHeads } from './engine';
import { oneNodeModel } from './onnx-model';

type Operator = 'GroupQueryAttention' | 'MultiHeadAttention';

/**
 * onnxruntime-web 1.30's FlashAttention is wrong at subgroup size 4, which software adapters have:
 * it runs here without the subgroups feature, as the report says.
 */
function hideSubgroups(): void {
  const original = Object.getOwnPropertyDescriptor(GPUAdapter.prototype, 'features')!.get!;
  Object.defineProperty(GPUAdapter.prototype, 'features', {
    get(this: GPUAdapter) {
      const features = original.call(this) as GPUSupportedFeatures;
      return new Set([...features].filter((name) => !name.startsWith('subgroup')));
    },
  });
}

function model(
  operator: Operator,
  heads: number,
  kvHeads: number,
  hasPast: boolean,
  isCausal: boolean,
) {
  const tokens = ['query', 'key', 'value'].map((name) => ({ name, rank: 3 }));
  if (operator === 'MultiHeadAttention') {
    return oneNodeModel({
      operator,
      attributes: { num_heads: heads, unidirectional: isCausal ? 1 : 0 },
      inputs: tokens,
      outputs: [{ name: 'output', rank: 3 }],
    });
  }
  const past = (name: string) => ({ name: hasPast ? name : '', rank: 4 });
  return oneNodeModel({
    operator,
    attributes: { num_heads: heads, kv_num_heads: kvHeads },
    inputs: [
      ...tokens,
      past('past_key'),
      past('past_value'),
      { name: 'seqlens_k', rank: 1, isInt: true },
      { name: 'total_sequence_length', rank: 1, isInt: true },
    ],
    outputs: [
      { name: 'output', rank: 3 },
      { name: 'present_key', rank: 4 },
      { name: 'present_value', rank: 4 },
    ],
  });
}

export async function ortEngine(provider: 'webgpu' | 'wasm', operator: Operator): Promise<Engine> {
  if (provider === 'webgpu') hideSubgroups();
  const path = provider === 'webgpu' ? '/ort/ort.webgpu.min.mjs' : '/ort/ort.wasm.min.mjs';
  const ort = (await import(/* @vite-ignore */ path)) as typeof Ort;
  ort.env.wasm.wasmPaths = '/ort/';
  return {
    prepare: async ({ shape, query, key, value }) => {
      const { queryHeads: heads, queries, keys, headSize } = shape;
      const isGrouped = operator === 'GroupQueryAttention';
      // MultiHeadAttention has no groups: its users repeat the heads.
      const kvHeads = isGrouped ? shape.kvHeads : heads;
      const group = heads / shape.kvHeads;
      const isDecode = queries < keys;
      const hasPast = isGrouped && isDecode;
      const session = await ort.InferenceSession.create(
        model(operator, heads, kvHeads, hasPast, !isDecode),
        {
          executionProviders: [provider],
          ...(provider === 'webgpu' ? { preferredOutputLocation: 'gpu-buffer' } : {}),
          logSeverityLevel: 3,
        },
      );
      const device = provider === 'webgpu' ? await ort.env.webgpu.device : undefined;
      const buffers: GPUBuffer[] = [];
      const tensor = (values: Float32Array, dims: readonly number[]) => {
        if (device === undefined) return new ort.Tensor('float32', values, dims);
        const buffer = device.createBuffer({
          size: Math.max(16, Math.ceil(values.byteLength / 16) * 16),
          usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST,
        });
        device.queue.writeBuffer(buffer, 0, values as Float32Array<ArrayBuffer>);
        buffers.push(buffer);
        return ort.Tensor.fromGpuBuffer(buffer, { dataType: 'float32', dims });
      };
      const packed = (values: Float32Array, count: number, tokens: number) =>
        tensor(swapHeads(values, count, tokens, headSize), [1, tokens, count * headSize]);
      const ofHeads = (values: Float32Array) => {
        if (isGrouped || group === 1) return values;
        const head = keys * headSize;
        const repeated = new Float32Array(heads * head);
        for (let h = 0; h < heads; h++) {
          const from = Math.floor(h / group) * head;
          repeated.set(values.subarray(from, from + head), h * head);
        }
        return repeated;
      };
      const keyValues = ofHeads(key);
      const valueValues = ofHeads(value);
      /** Tokens [start, end) of every head. */
      const part = (values: Float32Array, start: number, end: number) => {
        const count = (end - start) * headSize;
        const result = new Float32Array(kvHeads * count);
        for (let h = 0; h < kvHeads; h++) {
          const from = (h * keys + start) * headSize;
          result.set(values.subarray(from, from + count), h * count);
        }
        return result;
      };
      const feeds: Record<string, Ort.Tensor> = { query: packed(query, heads, queries) };
      if (hasPast) {
        const past = keys - queries;
        feeds.key = packed(part(keyValues, past, keys), kvHeads, queries);
        feeds.value = packed(part(valueValues, past, keys), kvHeads, queries);
        feeds.past_key = tensor(part(keyValues, 0, past), [1, kvHeads, past, headSize]);
        feeds.past_value = tensor(part(valueValues, 0, past), [1, kvHeads, past, headSize]);
      } else {
        feeds.key = packed(keyValues, kvHeads, keys);
        feeds.value = packed(valueValues, kvHeads, keys);
      }
      if (isGrouped) {
        feeds.seqlens_k = new ort.Tensor('int32', Int32Array.of(keys - 1), [1]);
        feeds.total_sequence_length = new ort.Tensor('int32', Int32Array.of(keys), [1]);
      }
      let outputs: Ort.InferenceSession.OnnxValueMapType | undefined;
      const release = () => {
        for (const each of Object.values(outputs ?? {})) each.dispose();
        outputs = undefined;
      };
      return {
        detail: `${operator}, ${provider}${provider === 'webgpu' ? ', subgroups hidden' : `, ${ort.env.wasm.numThreads} threads`}`,
        run: async () => {
          release();
          outputs = await session.run(feeds);
          await device?.queue.onSubmittedWorkDone();
        },
        read: async () => {
          const values = (await outputs!.output!.getData()) as Float32Array;
          return swapHeads(values.slice(), queries, heads, headSize);
        },
        destroy: () => {
          release();
          for (const buffer of buffers) buffer.destroy();
          void session.release();
        },
      };
    },
  };
}
