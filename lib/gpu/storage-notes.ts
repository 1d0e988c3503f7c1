import type { StoredTensor } from '../attention/decode/stored';
import type { AdapterInfo } from '../attention/types';
import type { Storage } from './stored';

/** How the kernels that ran read a storage, in a sentence; none for f32. */
export function deviceStorageNotes(
  info: AdapterInfo,
  storage: Storage,
  isInTexels = false,
): readonly string[] {
  if (isInTexels && storage !== 'f32') {
    return ['f16 keys and values were read as f16 texels; sums are f32'];
  }
  if (storage === 'half') {
    return ['f16 keys and values were read as f16 of the shading language; sums are f32'];
  }
  if (storage === 'half-words') {
    const reason = info.hasShaderF16
      ? 'no kernel in f16 of the shading language was right'
      : 'the adapter has no shader-f16';
    return [`${reason}: two f16 numbers per word, unpacked in the kernel; sums are f32`];
  }
  if (storage === 'bfloat-words') {
    return [
      'the shading language has no bf16: two numbers per word, unpacked by shifts in the kernel; sums are f32',
    ];
  }
  return [];
}

/** What an engine that reads f32 only did with 16-bit keys or values, in a sentence. */
export function widenedNotes(tensors: readonly StoredTensor[]): readonly string[] {
  const types = ['f16', 'bf16'].filter((type) => tensors.some((each) => each.type === type));
  return [
    ...types.map((type) => `${type} keys and values were rounded to ${type} and widened to f32`),
    ...(tensors.some(({ type }) => type === 'delta')
      ? ['differences were added up before the kernel read them: zeros are counted, not skipped']
      : []),
  ];
}
