/** What a kernel file promises to its callers; a test compares it with the file itself. */
export interface KernelDescriptor {
  readonly entryPoint: 'main';
  readonly overrides: readonly string[];
  readonly workgroupBytes: number;
  readonly needsSubgroups: boolean;
  /**
   * What is bound, in order of the bindings; undefined where the shader's text tells. It does not
   * tell that a texture is sampled without filtering, which f32 texels ask for.
   */
  readonly bindings?: readonly BindingKind[];
}

export type BindingKind = 'read' | 'write' | 'uniform' | 'texels' | 'nearest';

const SPLIT_OF_TEXELS: readonly BindingKind[] = [
  'read',
  'texels',
  'texels',
  'read',
  'read',
  'read',
  'write',
  'write',
  'uniform',
  'nearest',
];

const SPLIT_OF_CODES: readonly BindingKind[] = [
  'read',
  'texels',
  'texels',
  'read',
  'read',
  'read',
  'read',
  'read',
  'write',
  'write',
  'uniform',
  'uniform',
  'texels',
  'nearest',
];

const SPLIT_OF_PAGED_TEXELS = SPLIT_OF_TEXELS.filter((_, binding) => binding !== 3);

const kernel = (
  overrides: readonly string[],
  workgroupBytes: number,
  needsSubgroups = false,
): KernelDescriptor => ({ entryPoint: 'main', overrides, workgroupBytes, needsSubgroups });

export const KERNELS = {
  'attention-quad.wgsl': kernel(['WORKGROUP'], 0, true),
  'attention-rows.wgsl': kernel(['WORKGROUP'], 0, true),
  'attention-texels.wgsl': { ...kernel(['WORKGROUP'], 0, true), bindings: SPLIT_OF_TEXELS },
  'attention-tile.wgsl': kernel([], 14_336),
  'decode-lanes.wgsl': kernel(['WORKGROUP'], 0, true),
  'decode-paged.wgsl': kernel([], 1_536),
  'decode-paged-quad.wgsl': kernel(['WORKGROUP'], 0, true),
  'decode-paged-texels.wgsl': {
    ...kernel(['WORKGROUP'], 0, true),
    bindings: SPLIT_OF_PAGED_TEXELS,
  },
  'decode-quad.wgsl': kernel(['WORKGROUP'], 0, true),
  'decode-quantised-quad.wgsl': kernel(['WORKGROUP'], 0, true),
  'decode-quantised-tile.wgsl': kernel([], 1_536),
  'decode-quantised-texels.wgsl': { ...kernel(['WORKGROUP'], 0, true), bindings: SPLIT_OF_CODES },
  'decode-texels.wgsl': { ...kernel(['WORKGROUP'], 0, true), bindings: SPLIT_OF_TEXELS },
  'decode-tile.wgsl': kernel([], 1_536),
  'legendre-chunks.wgsl': kernel(['WORKGROUP'], 0),
  'legendre-outputs.wgsl': kernel(['WORKGROUP'], 0),
  'legendre-queries.wgsl': kernel(['WORKGROUP'], 0),
  'legendre-scan.wgsl': kernel(['WORKGROUP'], 0),
  'map-base.wgsl': kernel([], 0),
  'mask-bits.wgsl': kernel(['WORKGROUP'], 0),
  'merge-splits.wgsl': kernel(['WORKGROUP'], 0),
  'recurrent-lane.wgsl': kernel(['WORKGROUP'], 0),
  'recurrent-quad.wgsl': kernel(['WORKGROUP'], 0, true),
  'recurrent-scan.wgsl': kernel(['WORKGROUP'], 0),
  'recurrent-fours.wgsl': kernel(['WORKGROUP'], 0, true),
  'roof-copy.wgsl': kernel(['WORKGROUP'], 0),
  'roof-matmul.wgsl': kernel(['SIZE'], 0),
  'transformer-gate.wgsl': kernel(['WORKGROUP'], 0),
  'transformer-linear.wgsl': kernel([], 8_192),
  'transformer-merge.wgsl': kernel(['WORKGROUP'], 0),
  'transformer-norm.wgsl': kernel([], 288),
  'transformer-part.wgsl': kernel(['WORKGROUP'], 0),
  'transformer-place.wgsl': kernel(['WORKGROUP'], 0),
  'transformer-ragged.wgsl': kernel([], 2_336),
  'transformer-turn.wgsl': kernel(['WORKGROUP'], 0),
  'transformer-vector.wgsl': kernel([], 1_024),
  'transformer-weights.wgsl': kernel(['WORKGROUP'], 0),
} as const satisfies Readonly<Record<string, KernelDescriptor>>;

export type KernelFile = keyof typeof KERNELS;
