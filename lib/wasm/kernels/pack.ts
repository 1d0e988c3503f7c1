/**
 * Transposes the keys of one KV head into panels of 8 keys, [paddedKeys / 8][headSize][8]. The last
 * panels hold the zeros that fill the rows up to `paddedKeys`, a multiple of 8.
 *
 * @param from [paddedKeys][headSize], zeros past the last key
 */
export function packKeys(from: usize, to: usize, paddedKeys: usize, headSize: usize): void {
  const rowBytes: usize = 4 * headSize;
  for (let key: usize = 0; key < paddedKeys; key += 4) {
    // Keys 0..3 fill the left half of every row of a panel, keys 4..7 the right half.
    let out = to + 8 * rowBytes * (key >> 3) + 4 * (key & 4);
    let at = from + key * rowBytes;
    const end = at + rowBytes;
    while (at < end) {
      const a = v128.load(at);
      const b = v128.load(at + rowBytes);
      const c = v128.load(at + 2 * rowBytes);
      const d = v128.load(at + 3 * rowBytes);
      const ab0 = v128.shuffle<f32>(a, b, 0, 4, 1, 5);
      const ab1 = v128.shuffle<f32>(a, b, 2, 6, 3, 7);
      const cd0 = v128.shuffle<f32>(c, d, 0, 4, 1, 5);
      const cd1 = v128.shuffle<f32>(c, d, 2, 6, 3, 7);
      v128.store(out, v128.shuffle<f32>(ab0, cd0, 0, 1, 4, 5));
      v128.store(out, v128.shuffle<f32>(ab0, cd0, 2, 3, 6, 7), 32);
      v128.store(out, v128.shuffle<f32>(ab1, cd1, 0, 1, 4, 5), 64);
      v128.store(out, v128.shuffle<f32>(ab1, cd1, 2, 3, 6, 7), 96);
      at += 16;
      out += 128;
    }
  }
}

/** Interleaves query rows by four, [ceil(rows / 4)][headSize][4]; rows past the end are zeros. */
export function packQueries(from: usize, to: usize, rows: usize, headSize: usize): void {
  const rowBytes: usize = 4 * headSize;
  const whole = rows & ~3;
  for (let row: usize = 0; row < whole; row += 4) {
    let at = from + row * rowBytes;
    let out = to + row * rowBytes;
    const end = at + rowBytes;
    while (at < end) {
      const a = v128.load(at);
      const b = v128.load(at + rowBytes);
      const c = v128.load(at + 2 * rowBytes);
      const d = v128.load(at + 3 * rowBytes);
      const ab0 = v128.shuffle<f32>(a, b, 0, 4, 1, 5);
      const ab1 = v128.shuffle<f32>(a, b, 2, 6, 3, 7);
      const cd0 = v128.shuffle<f32>(c, d, 0, 4, 1, 5);
      const cd1 = v128.shuffle<f32>(c, d, 2, 6, 3, 7);
      v128.store(out, v128.shuffle<f32>(ab0, cd0, 0, 1, 4, 5));
      v128.store(out, v128.shuffle<f32>(ab0, cd0, 2, 3, 6, 7), 16);
      v128.store(out, v128.shuffle<f32>(ab1, cd1, 0, 1, 4, 5), 32);
      v128.store(out, v128.shuffle<f32>(ab1, cd1, 2, 3, 6, 7), 48);
      at += 16;
      out += 64;
    }
  }
  const paddedRows = (rows + 3) & ~3;
  for (let row = whole; row < paddedRows; row++) {
    const out = to + 16 * headSize * (row >> 2) + 4 * (row & 3);
    const at = from + 4 * headSize * row;
    for (let d: usize = 0; d < headSize; d++) {
      store<f32>(out + 16 * d, row < rows ? load<f32>(at + 4 * d) : 0);
    }
  }
}
