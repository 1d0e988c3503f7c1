import { type BindingKind, KERNELS, type KernelDescriptor, type KernelFile } from './kernel-table';
import { SHADER_FILES } from './shaders';
import { resolveWgsl, type WgslConstants, type WgslReplaced, type WgslSlots } from './wgsl';

/** A kernel file with its declared constants and pipeline overrides. */
export interface KernelVariant {
  readonly file: KernelFile;
  readonly constants?: WgslConstants;
  readonly overrides?: Readonly<Record<string, number>>;
  /** Expressions of a variant's formulas; see `variant.wgsl`. */
  readonly slots?: WgslSlots;
  /** Included files that give way to others; see `stored.ts`. */
  readonly replaced?: WgslReplaced;
}

const LAYOUTS: Readonly<
  Record<BindingKind, Omit<GPUBindGroupLayoutEntry, 'binding' | 'visibility'>>
> = {
  read: { buffer: { type: 'read-only-storage' } },
  write: { buffer: { type: 'storage' } },
  uniform: { buffer: { type: 'uniform' } },
  texels: { texture: { sampleType: 'unfilterable-float' } },
  nearest: { sampler: { type: 'non-filtering' } },
};

function layoutOf(device: GPUDevice, { bindings }: KernelDescriptor): GPUPipelineLayout | 'auto' {
  if (bindings === undefined) return 'auto';
  const entries = bindings.map((kind, binding) => ({
    binding,
    visibility: GPUShaderStage.COMPUTE,
    ...LAYOUTS[kind],
  }));
  const group = device.createBindGroupLayout({ entries });
  return device.createPipelineLayout({ bindGroupLayouts: [group] });
}

/**
 * Compiles the kernels of one device and keeps every pipeline, keyed by shader text and overrides:
 * no browser caches them. Rejects with one sentence that names file and line.
 */
export class PipelineCache {
  readonly #device: GPUDevice;
  readonly #pipelines = new Map<string, Promise<GPUComputePipeline>>();

  constructor(device: GPUDevice) {
    this.#device = device;
  }

  /** Pipelines compiled so far. */
  get size(): number {
    return this.#pipelines.size;
  }

  get(variant: KernelVariant): Promise<GPUComputePipeline> {
    const { code, origins } = resolveWgsl(
      SHADER_FILES,
      variant.file,
      variant.constants,
      variant.slots,
      variant.replaced,
    );
    const key = JSON.stringify([code, variant.overrides ?? {}]);
    const cached = this.#pipelines.get(key);
    if (cached !== undefined) return cached;
    const created = this.#compile(variant, code, (line) => {
      const origin = origins[line - 1];
      return origin === undefined ? variant.file : `${origin.file}:${origin.line}`;
    });
    this.#pipelines.set(key, created);
    created.catch(() => this.#pipelines.delete(key));
    return created;
  }

  async #compile(
    variant: KernelVariant,
    code: string,
    place: (line: number) => string,
  ): Promise<GPUComputePipeline> {
    const device = this.#device;
    device.pushErrorScope('validation');
    const module = device.createShaderModule({ label: variant.file, code });
    const [info, invalid] = await Promise.all([
      module.getCompilationInfo(),
      device.popErrorScope(),
    ]);
    const error = info.messages.find(({ type }) => type === 'error');
    if (error !== undefined) {
      throw new Error(
        `cannot compile ${variant.file}: ${error.message.split('\n')[0]} at ${place(error.lineNum)}`,
      );
    }
    if (invalid !== null) throw new Error(`cannot compile ${variant.file}: ${invalid.message}`);
    try {
      return await device.createComputePipelineAsync({
        label: variant.file,
        layout: layoutOf(device, KERNELS[variant.file]),
        compute: {
          module,
          entryPoint: KERNELS[variant.file].entryPoint,
          constants: { ...variant.overrides },
        },
      });
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw new Error(`cannot build the pipeline of ${variant.file}: ${reason}`, { cause });
    }
  }
}
