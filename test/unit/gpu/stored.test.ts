import { describe, expect, test } from 'vitest';
import type { AdapterInfo } from '../../../lib/attention/types';
import { deviceStorageNotes } from '../../../lib/gpu/storage-notes';
import { STORAGE_BYTES, storagesFor, storedTensor } from '../../../lib/gpu/stored';

const adapter = (hasShaderF16: boolean) => ({ hasShaderF16 }) as AdapterInfo;

describe('storages of an adapter', () => {
  test('f16 is native where it can be, with words to fall back on', () => {
    expect(storagesFor(adapter(true), 'f16')).toEqual(['half', 'half-words']);
    expect(storagesFor(adapter(false), 'f16')).toEqual(['half-words']);
    expect(storagesFor(adapter(true), 'bf16')).toEqual(['bfloat-words']);
    expect(storagesFor(adapter(true), 'f32')).toEqual(['f32']);
  });

  test('take the bytes that are said', () => {
    const tensor = Float32Array.of(1, -2.5, 0, 3);
    for (const storage of ['f32', 'half', 'half-words', 'bfloat-words'] as const) {
      const stored = storedTensor(adapter(true), tensor, storage);
      expect(stored.byteLength).toBe(tensor.length * STORAGE_BYTES[storage]);
    }
    expect([...storedTensor(adapter(false), tensor, 'bfloat-words')]).toEqual([
      0x3f80, 0xc020, 0, 0x4040,
    ]);
  });

  test('are told in a sentence that says why', () => {
    expect(deviceStorageNotes(adapter(true), 'f32')).toEqual([]);
    expect(deviceStorageNotes(adapter(false), 'half-words', true).join()).toMatch(/as f16 texels;/);
    expect(deviceStorageNotes(adapter(true), 'half').join()).toMatch(/of the shading language;/);
    expect(deviceStorageNotes(adapter(false), 'half-words').join()).toMatch(
      /^the adapter has no shader-f16: two f16 numbers per word, unpacked in the kernel/,
    );
    expect(deviceStorageNotes(adapter(true), 'half-words').join()).not.toMatch(/no shader-f16/);
    expect(deviceStorageNotes(adapter(true), 'bfloat-words').join()).toMatch(/no bf16: two/);
  });
});
