/** Words of 32 bits per row of codes. */
export function wordsPerRow(columns: number, bits: number): number {
  return Math.ceil((columns * bits) / 32);
}

/**
 * Packs codes little-endian into words: code c of a row lies at bit c x bits. Negative codes are
 * two's complement. Rows begin at whole words; what is left over is 0.
 *
 * @param codes [rows, columns], integers in [-2^(bits - 1), 2^bits)
 */
export function packCodes(
  codes: ArrayLike<number>,
  columns: number,
  bits: number,
): Uint32Array<ArrayBuffer> {
  const words = wordsPerRow(columns, bits);
  const perWord = 32 / bits;
  const rows = codes.length / columns;
  const mask = 2 ** bits - 1;
  const packed = new Uint32Array(rows * words);
  for (let row = 0; row < rows; row++) {
    for (let c = 0; c < columns; c++) {
      const at = row * words + Math.floor(c / perWord);
      const code = codes[row * columns + c]! & mask;
      packed[at] = (packed[at]! | (code << (bits * (c % perWord)))) >>> 0;
    }
  }
  return packed;
}

/** One code of a packed row that begins at word `rowAt`. */
export function readCode(
  packed: Uint32Array,
  rowAt: number,
  column: number,
  bits: number,
  isSigned: boolean,
): number {
  const perWord = 32 / bits;
  const word = packed[rowAt + Math.floor(column / perWord)]!;
  // Shifting left first drops the codes above; shifting right then extends the sign, or zeros.
  const top = word << (32 - bits - bits * (column % perWord));
  return isSigned ? top >> (32 - bits) : top >>> (32 - bits);
}

/** The inverse of `packCodes`, [rows, columns]. */
export function unpackCodes(
  packed: Uint32Array,
  columns: number,
  bits: number,
  isSigned: boolean,
): Int16Array<ArrayBuffer> {
  const words = wordsPerRow(columns, bits);
  const rows = packed.length / words;
  const codes = new Int16Array(rows * columns);
  for (let row = 0; row < rows; row++) {
    for (let c = 0; c < columns; c++) {
      codes[row * columns + c] = readCode(packed, row * words, c, bits, isSigned);
    }
  }
  return codes;
}
