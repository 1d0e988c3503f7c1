import { roundToHalves } from '../attention/quantise/half';
import type { AdapterInfo } from '../attention/types';
import type { WgslReplaced } from './wgsl';

/**
 * How keys and values lie on the device: `f32`; `half`, f16 of the shading language, which needs
 * the feature shader-f16; or `half-words`, the same bits unpacked from words, which runs
 * everywhere. Kernels compute in f32 with all three.
 */
export type Storage = 'f32' | 'half' | 'half-words';

/** The f16 storage for an adapter. */
export function halfStorage(info: AdapterInfo): Storage {
  return info.hasShaderF16 ? 'half' : 'half-words';
}

/** The included files that make a kernel read a storage. */
export const STORED_FILES: Readonly<Record<Storage, WgslReplaced>> = {
  f32: {},
  half: { 'stored.wgsl': 'stored-half.wgsl' },
  'half-words': { 'stored.wgsl': 'stored-words.wgsl' },
};

/**
 * A tensor's bytes in a storage, rounded to the nearest f16 where that is the storage.
 *
 * @throws RangeError for `half` without shader-f16, or a number above 65,504 where f16
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
  return storage === 'f32' ? (tensor as Float32Array<ArrayBuffer>) : roundToHalves(tensor);
}
