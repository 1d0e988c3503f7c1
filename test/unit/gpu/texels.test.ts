import { describe, expect, test } from 'vitest';
import { candidatePlans } from '../../../lib/gpu/plans';
import { fitsTexels, rowsPerLine } from '../../../lib/gpu/texels';

const SHAPE = { batch: 1, queryHeads: 4, kvHeads: 4, queries: 1, keys: 65_536, headSize: 64 };
const INFO = {
  vendor: '',
  architecture: '',
  description: '',
  isFallback: false,
  hasTimestampQuery: false,
  hasSubgroups: true,
  hasShaderF16: false,
  maxBufferBytes: 2 ** 32,
};

describe('rows in the lines of a texture', () => {
  test.each(Array.from({ length: 64 }, (_, i) => i + 1))('%i vec4 to a row', (dims) => {
    const rows = rowsPerLine(dims);
    expect(Number.isInteger(Math.log2(rows))).toBe(true);
    // The power of two that fills a line of 8,192 texels best.
    expect(rows * dims).toBeLessThanOrEqual(8192);
    expect(2 * rows * dims).toBeGreaterThan(8192);
    // Copies from a buffer want lines of a multiple of 256 bytes, of 8-byte texels too.
    expect((rows * dims * 8) % 256).toBe(0);
    // A row's begin, as the kernels find it in f32, is exact up to the last row that fits.
    const last = Math.min(2 ** 24, rows * 8192) - 1;
    const at = Math.fround(last * Math.fround(1 / rows));
    expect(Math.floor(at)).toBe(Math.floor(last / rows));
    expect((at - Math.floor(at)) * rows).toBe(last % rows);
  });

  test('fits while lines and rows do', () => {
    expect(fitsTexels(SHAPE)).toBe(true);
    // 512 rows of 64 to a line, 8,192 lines.
    expect(fitsTexels({ ...SHAPE, kvHeads: 1, keys: 512 * 8192 })).toBe(true);
    expect(fitsTexels({ ...SHAPE, kvHeads: 1, keys: 512 * 8192 + 1 })).toBe(false);
    // f32 counts whole rows up to 2^24.
    expect(fitsTexels({ ...SHAPE, headSize: 4, kvHeads: 1, keys: 2 ** 24 })).toBe(true);
    expect(fitsTexels({ ...SHAPE, headSize: 4, kvHeads: 1, keys: 2 ** 24 + 1 })).toBe(false);
  });

  test('software adapters leave out the same plan with slower loads, where textures fit', () => {
    const ids = (keys: number, isFallback: boolean) =>
      candidatePlans({ ...SHAPE, queries: 64, keys }, { ...INFO, isFallback }).map(({ id }) => id);
    expect(ids(4096, false)).toEqual(expect.arrayContaining(['texels-8x4', 'rows-8x4']));
    expect(ids(4096, true)).toContain('texels-8x4');
    expect(ids(4096, true)).not.toContain('rows-8x4');
    expect(ids(4 * 512 * 8192, true)).toContain('rows-8x4');
  });

  test('a plan over textures is a candidate only where they fit', () => {
    const overTexels = (keys: number) =>
      candidatePlans({ ...SHAPE, keys }, INFO).filter(({ readsTexels }) => readsTexels === true);
    expect(overTexels(65_536).map(({ id }) => id)).toEqual(['texels-split-1']);
    expect(overTexels(4 * 512 * 8192)).toEqual([]);
  });
});
