import type { DecodeParams } from '../../spec/kinds/decode';
import type { TensorError } from '../quantise/error';
import type { QuantisedBytes } from '../quantise/types';
import type { AdapterInfo, AdapterRoof, AttentionTiming, RoofPlace } from '../types';
import type { PageSummary, PageTable } from './pages';
import type { PackedWord } from './word';

/** Distance from unquantised attention in f64. */
export interface DecodeError {
  readonly relativeL2: number;
  readonly maxAbs: number;
  readonly lseMaxAbs: number;
  /** By query head, over the batch. */
  readonly headRelativeL2: readonly number[];
}

/** Distance from f64 attention over the dequantised or rounded tensors: what the kernel itself adds. */
export interface KernelError {
  readonly maxAbs: number;
  readonly lseMaxAbs: number;
  readonly tolerance: number;
  readonly checkedRows: number;
  readonly totalRows: number;
  readonly withinTolerance: boolean;
}

/** One storage of the cell. */
export interface StorageResult {
  readonly name: string;
  /** Kept bytes; a tensor in f32, f16 or bf16 is all `codes`. */
  readonly key: QuantisedBytes;
  readonly value: QuantisedBytes;
  /** K and V of one token, all KV heads of one layer. */
  readonly bytesPerToken: number;
  /** Kept bytes over those of the same cache in f32, and in f16; block tables counted. */
  readonly ratioToF32: number;
  readonly ratioToF16: number;
  readonly keyError: TensorError;
  readonly valueError: TensorError;
  readonly error: DecodeError;
  /** Undefined where the reference itself ran. */
  readonly kernelError: KernelError | undefined;
  readonly timing: AttentionTiming;
  readonly plan: string | undefined;
  readonly splits: number | undefined;
  readonly submits: number | undefined;
  /** Bytes of cache that this engine has to read once, masked blocks left out. */
  readonly readBytes: number;
  readonly readGigabytesPerSecond: number;
  /** Of the adapter's own copy, which reads and writes. */
  readonly percentOfCopyRoof: number | undefined;
  /** Under the lesser of compute roof and bandwidth; undefined without a roof. */
  readonly roofPlace?: RoofPlace | undefined;
  /** Of keys or values kept as differences, the share of numbers that are 0. */
  readonly keyZeroShare: number | undefined;
  readonly valueZeroShare: number | undefined;
  /** The first packed word of the keys, or of the values where keys are not packed. */
  readonly word: (PackedWord & { readonly tensor: 'key' | 'value' }) | undefined;
}

export interface DecodeResult {
  readonly params: DecodeParams;
  readonly engine: 'webgpu' | 'wasm' | 'cpu';
  readonly engineNote: string | undefined;
  readonly adapter: AdapterInfo | undefined;
  readonly roof: AdapterRoof | undefined;
  readonly storages: readonly StorageResult[];
  /** Of the first storage. */
  readonly timing: AttentionTiming;
  /** Bytes are those of the first storage; undefined in a contiguous layout. */
  readonly paged: (PageTable & PageSummary) | undefined;
  readonly notes: readonly string[];
}
