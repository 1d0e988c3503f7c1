import type { TransformerConfig, TransformerWeights } from '../transformer/types';
import type { OwnedBuffers } from './owned-buffers';

/** A matrix on the device: [outputs, inputs] as files hold it, and a bias. */
export interface DeviceMatrix {
  readonly weight: GPUBuffer;
  readonly bias: GPUBuffer;
  readonly inputs: number;
  readonly outputs: number;
}

export interface DeviceLayer {
  readonly attentionNorm: GPUBuffer;
  readonly q: DeviceMatrix;
  readonly k: DeviceMatrix;
  readonly v: DeviceMatrix;
  readonly o: DeviceMatrix;
  readonly qNorm?: GPUBuffer;
  readonly kNorm?: GPUBuffer;
  readonly mlpNorm: GPUBuffer;
  readonly gate: DeviceMatrix;
  readonly up: DeviceMatrix;
  readonly down: DeviceMatrix;
}

export interface DeviceWeights {
  readonly layers: readonly DeviceLayer[];
  readonly finalNorm: GPUBuffer;
  readonly head: DeviceMatrix;
}

/**
 * Copies a model's weights to the device. Embeddings stay behind: rows are looked up on the CPU.
 *
 * @throws Error with a sentence where a tensor exceeds the adapter's largest buffer or its memory
 */
export async function uploadWeights(
  buffers: OwnedBuffers,
  config: TransformerConfig,
  weights: TransformerWeights,
): Promise<DeviceWeights> {
  const { hiddenSize, intermediateSize, headSize, vocabularySize } = config;
  const queryWidth = config.heads * headSize;
  const kvWidth = config.kvHeads * headSize;
  const widest = Math.max(hiddenSize, intermediateSize, queryWidth, kvWidth, vocabularySize);
  const noBias = await buffers.store('bias', { data: new Float32Array(widest) });

  const vector = (name: string, values: Float32Array) =>
    buffers.store(name, { data: Float32Array.from(values) });

  async function matrix(
    name: string,
    values: Float32Array,
    outputs: number,
    inputs: number,
    bias?: Float32Array,
  ): Promise<DeviceMatrix> {
    if (values.length !== outputs * inputs) {
      throw new RangeError(
        `invalid ${name}: ${values.length} values (expected ${outputs} x ${inputs})`,
      );
    }
    // The device takes no views of shared memory.
    const data =
      values.buffer instanceof ArrayBuffer
        ? (values as Float32Array<ArrayBuffer>)
        : Float32Array.from(values);
    const weight = await buffers.store(name, { data });
    return { weight, bias: bias ? await vector(`bias of ${name}`, bias) : noBias, inputs, outputs };
  }

  const layers: DeviceLayer[] = [];
  for (const [index, layer] of weights.layers.entries()) {
    const of = (name: string) => `${name} of layer ${index}`;
    layers.push({
      attentionNorm: await vector(of('attentionNorm'), layer.attentionNorm),
      q: await matrix(of('q'), layer.q, queryWidth, hiddenSize, layer.qBias),
      k: await matrix(of('k'), layer.k, kvWidth, hiddenSize, layer.kBias),
      v: await matrix(of('v'), layer.v, kvWidth, hiddenSize, layer.vBias),
      o: await matrix(of('o'), layer.o, hiddenSize, queryWidth),
      ...(layer.qNorm && layer.kNorm
        ? {
            qNorm: await vector(of('qNorm'), layer.qNorm),
            kNorm: await vector(of('kNorm'), layer.kNorm),
          }
        : {}),
      mlpNorm: await vector(of('mlpNorm'), layer.mlpNorm),
      gate: await matrix(of('gate'), layer.gate, intermediateSize, hiddenSize),
      up: await matrix(of('up'), layer.up, intermediateSize, hiddenSize),
      down: await matrix(of('down'), layer.down, hiddenSize, intermediateSize),
    });
  }
  return {
    layers,
    finalNorm: await vector('finalNorm', weights.finalNorm),
    head: await matrix('head', weights.head ?? weights.embedding, vocabularySize, hiddenSize),
  };
}
