import paramsSource from './kernels/transformer-params.wgsl';
import { makeShaderDataDefinitions, makeStructuredView } from './struct-views';

const structs = makeShaderDataDefinitions(paramsSource).structs;

export type StructName =
  | 'LinearParams'
  | 'NormParams'
  | 'GateParams'
  | 'PartParams'
  | 'PlaceParams'
  | 'RaggedParams';

/** Kept uniforms, beyond which all are let go: chunks of every length have their own. */
const MAX_KEPT = 1024;

/** Uniform buffers by their values: a step of decoding has those of the step before. */
export interface StepUniforms {
  of(name: StructName, values: Readonly<Record<string, number>>): GPUBuffer;
  /** Between steps: lets go of old ones where there are too many. */
  trim(): void;
  destroy(): void;
}

export function createStepUniforms(device: GPUDevice): StepUniforms {
  const kept = new Map<string, GPUBuffer>();
  function destroy(): void {
    for (const buffer of kept.values()) buffer.destroy();
    kept.clear();
  }
  return {
    of(name, values) {
      const key = JSON.stringify([name, values]);
      const known = kept.get(key);
      if (known) return known;
      const view = makeStructuredView(structs[name]!);
      view.set(values);
      const buffer = device.createBuffer({
        size: Math.max(16, view.arrayBuffer.byteLength),
        usage: GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST,
      });
      device.queue.writeBuffer(buffer, 0, view.arrayBuffer);
      kept.set(key, buffer);
      return buffer;
    },
    trim: () => {
      if (kept.size > MAX_KEPT) destroy();
    },
    destroy,
  };
}
