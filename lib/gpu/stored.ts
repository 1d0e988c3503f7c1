import { roundToBfloats } from '../attention/quantise/bfloat';
import { roundToHalves } from '../attention/quantise/half';
import type { AdapterInfo } from '../attention/types';
import type { TensorStorage } from '../spec/kinds/decode';
import type { WgslReplaced } from './wgsl';

/**
 * How keys and values lie on the device: `f32`; `half`, f16 of the shading language, which needs
 * the feature shader-f16; `half-words`, the same bits unpacked from words, which runs everywhere;
 * or `bfloat-words`, bf16, of which the language has no type. Kernels compute in f32 with all.
 */
export type Storage = 'f32' | 'half' | 'half-words' | 'bfloat-words';

export const STORAGE_BYTES: Readonly<Record<Storage, number>> = {
  f32: 4,
  half: 2,
  'half-words': 2,
  'bfloat-words': 2,
};

/** The f16 storage for an adapter. */
export function halfStorage(info: AdapterInfo): Storage {
  return info.hasShaderF16 ? 'half' : 'half-words';
}

/** Storages of a type of numbers on an adapter, the preferred one first. */
export function storagesFor(
  info: AdapterInfo,
  type: Exclude<TensorStorage['type'], 'quantised' | 'delta'>,
): readonly Storage[] {
  if (type === 'f32') return ['f32'];
  if (type === 'bf16') return ['bfloat-words'];
  return info.hasShaderF16 ? ['half', 'half-words'] : ['half-words'];
}

/** The included files that make a kernel read a storage. */
export const STORED_FILES: Readonly<Record<Storage, WgslReplaced>> = {
  f32: {},
  half: { 'stored.wgsl': 'stored-half.wgsl' },
  'half-words': { 'stored.wgsl': 'stored-words.wgsl' },
  'bfloat-words': { 'stored.wgsl': 'stored-bfloat.wgsl' },
};

/**
 * A tensor's bytes in a storage, rounded to the nearest f16 or bf16 where that is the storage.
 *
 * @throws RangeError for `half` without shader-f16, or a number above the largest, 65,504 in f16
 */
export function storedTensor(
  info: AdapterInfo,
  tensor: Float32Array,
  storage: Storage,
): Float32Array<ArrayBuffer> | Uint16Array<ArrayBuffer> {
  if (storage === 'half' && !info.hasShaderF16) {
    throw new RangeError(
      'invalid storage: half (expected f32 or half-words, the adapter has no shader-f16)',
    );
  }
  if (storage === 'f32') return tensor as Float32Array<ArrayBuffer>;
  return storage === 'bfloat-words' ? roundToBfloats(tensor) : roundToHalves(tensor);
}
