import { multiplyAdd } from './multiply-add';
import { DECAYS, ERASERS, FACTORS, OVERLAPS, READERS, SCORES, WRITERS, WRITES } from './recurrent-scratch';

// One panel of the state, [keySize][8 value columns], and four tokens: 4 x 8 sums in eight registers.

/**
 * WRITES of delta rules, `u_i = strength_i (v_i - held_i - sum over j < i of overlap_ij u_j)`, where
 * `held_i` is what the state holds for key i.
 */
export function holdPanel(
  scratch: usize,
  state: usize,
  value: usize,
  valueRow: usize,
  writeStrength: usize,
  keySize: usize,
): void {
  let h00 = f32x4.splat(0);
  let h01 = f32x4.splat(0);
  let h10 = f32x4.splat(0);
  let h11 = f32x4.splat(0);
  let h20 = f32x4.splat(0);
  let h21 = f32x4.splat(0);
  let h30 = f32x4.splat(0);
  let h31 = f32x4.splat(0);
  let erasers = scratch + ERASERS;
  const end = erasers + 16 * keySize;
  while (erasers < end) {
    const x0 = v128.load(state);
    const x1 = v128.load(state, 16);
    let f = v128.load32_splat(erasers);
    h00 = multiplyAdd(f, x0, h00);
    h01 = multiplyAdd(f, x1, h01);
    f = v128.load32_splat(erasers, 4);
    h10 = multiplyAdd(f, x0, h10);
    h11 = multiplyAdd(f, x1, h11);
    f = v128.load32_splat(erasers, 8);
    h20 = multiplyAdd(f, x0, h20);
    h21 = multiplyAdd(f, x1, h21);
    f = v128.load32_splat(erasers, 12);
    h30 = multiplyAdd(f, x0, h30);
    h31 = multiplyAdd(f, x1, h31);
    erasers += 16;
    state += 32;
  }
  let f = v128.load32_splat(writeStrength);
  const u00 = f32x4.mul(f, f32x4.sub(v128.load(value), h00));
  const u01 = f32x4.mul(f, f32x4.sub(v128.load(value, 16), h01));
  v128.store(scratch + WRITES, u00);
  v128.store(scratch + WRITES, u01, 16);
  value += valueRow;
  f = v128.load32_splat(scratch + OVERLAPS, 16);
  h10 = multiplyAdd(f, u00, h10);
  h11 = multiplyAdd(f, u01, h11);
  f = v128.load32_splat(writeStrength, 4);
  const u10 = f32x4.mul(f, f32x4.sub(v128.load(value), h10));
  const u11 = f32x4.mul(f, f32x4.sub(v128.load(value, 16), h11));
  v128.store(scratch + WRITES, u10, 32);
  v128.store(scratch + WRITES, u11, 48);
  value += valueRow;
  f = v128.load32_splat(scratch + OVERLAPS, 32);
  h20 = multiplyAdd(f, u00, h20);
  h21 = multiplyAdd(f, u01, h21);
  f = v128.load32_splat(scratch + OVERLAPS, 36);
  h20 = multiplyAdd(f, u10, h20);
  h21 = multiplyAdd(f, u11, h21);
  f = v128.load32_splat(writeStrength, 8);
  const u20 = f32x4.mul(f, f32x4.sub(v128.load(value), h20));
  const u21 = f32x4.mul(f, f32x4.sub(v128.load(value, 16), h21));
  v128.store(scratch + WRITES, u20, 64);
  v128.store(scratch + WRITES, u21, 80);
  value += valueRow;
  f = v128.load32_splat(scratch + OVERLAPS, 48);
  h30 = multiplyAdd(f, u00, h30);
  h31 = multiplyAdd(f, u01, h31);
  f = v128.load32_splat(scratch + OVERLAPS, 52);
  h30 = multiplyAdd(f, u10, h30);
  h31 = multiplyAdd(f, u11, h31);
  f = v128.load32_splat(scratch + OVERLAPS, 56);
  h30 = multiplyAdd(f, u20, h30);
  h31 = multiplyAdd(f, u21, h31);
  f = v128.load32_splat(writeStrength, 12);
  v128.store(scratch + WRITES, f32x4.mul(f, f32x4.sub(v128.load(value), h30)), 96);
  v128.store(scratch + WRITES, f32x4.mul(f, f32x4.sub(v128.load(value, 16), h31)), 112);
}

/**
 * Outputs `factor_i (sum over channels c of reader_ci state_c + sum over j <= i of score_ij u_j)`, with
 * the state before the four tokens.
 *
 * @param writes u_j [token][8], `writesRow` bytes from row to row
 * @param output [token][8], `outputRow` bytes from row to row
 */
export function readPanel(
  scratch: usize,
  state: usize,
  writes: usize,
  writesRow: usize,
  output: usize,
  outputRow: usize,
  keySize: usize,
): void {
  let s00 = f32x4.splat(0);
  let s01 = f32x4.splat(0);
  let s10 = f32x4.splat(0);
  let s11 = f32x4.splat(0);
  let s20 = f32x4.splat(0);
  let s21 = f32x4.splat(0);
  let s30 = f32x4.splat(0);
  let s31 = f32x4.splat(0);
  let readers = scratch + READERS;
  const end = readers + 16 * keySize;
  while (readers < end) {
    const x0 = v128.load(state);
    const x1 = v128.load(state, 16);
    let f = v128.load32_splat(readers);
    s00 = multiplyAdd(f, x0, s00);
    s01 = multiplyAdd(f, x1, s01);
    f = v128.load32_splat(readers, 4);
    s10 = multiplyAdd(f, x0, s10);
    s11 = multiplyAdd(f, x1, s11);
    f = v128.load32_splat(readers, 8);
    s20 = multiplyAdd(f, x0, s20);
    s21 = multiplyAdd(f, x1, s21);
    f = v128.load32_splat(readers, 12);
    s30 = multiplyAdd(f, x0, s30);
    s31 = multiplyAdd(f, x1, s31);
    readers += 16;
    state += 32;
  }
  const scores = scratch + SCORES;
  let u0 = v128.load(writes);
  let u1 = v128.load(writes, 16);
  let f = v128.load32_splat(scores);
  s00 = multiplyAdd(f, u0, s00);
  s01 = multiplyAdd(f, u1, s01);
  f = v128.load32_splat(scores, 16);
  s10 = multiplyAdd(f, u0, s10);
  s11 = multiplyAdd(f, u1, s11);
  f = v128.load32_splat(scores, 32);
  s20 = multiplyAdd(f, u0, s20);
  s21 = multiplyAdd(f, u1, s21);
  f = v128.load32_splat(scores, 48);
  s30 = multiplyAdd(f, u0, s30);
  s31 = multiplyAdd(f, u1, s31);
  writes += writesRow;
  u0 = v128.load(writes);
  u1 = v128.load(writes, 16);
  f = v128.load32_splat(scores, 20);
  s10 = multiplyAdd(f, u0, s10);
  s11 = multiplyAdd(f, u1, s11);
  f = v128.load32_splat(scores, 36);
  s20 = multiplyAdd(f, u0, s20);
  s21 = multiplyAdd(f, u1, s21);
  f = v128.load32_splat(scores, 52);
  s30 = multiplyAdd(f, u0, s30);
  s31 = multiplyAdd(f, u1, s31);
  writes += writesRow;
  u0 = v128.load(writes);
  u1 = v128.load(writes, 16);
  f = v128.load32_splat(scores, 40);
  s20 = multiplyAdd(f, u0, s20);
  s21 = multiplyAdd(f, u1, s21);
  f = v128.load32_splat(scores, 56);
  s30 = multiplyAdd(f, u0, s30);
  s31 = multiplyAdd(f, u1, s31);
  writes += writesRow;
  f = v128.load32_splat(scores, 60);
  s30 = multiplyAdd(f, v128.load(writes), s30);
  s31 = multiplyAdd(f, v128.load(writes, 16), s31);
  f = v128.load32_splat(scratch + FACTORS);
  v128.store(output, f32x4.mul(f, s00));
  v128.store(output, f32x4.mul(f, s01), 16);
  output += outputRow;
  f = v128.load32_splat(scratch + FACTORS, 4);
  v128.store(output, f32x4.mul(f, s10));
  v128.store(output, f32x4.mul(f, s11), 16);
  output += outputRow;
  f = v128.load32_splat(scratch + FACTORS, 8);
  v128.store(output, f32x4.mul(f, s20));
  v128.store(output, f32x4.mul(f, s21), 16);
  output += outputRow;
  f = v128.load32_splat(scratch + FACTORS, 12);
  v128.store(output, f32x4.mul(f, s30));
  v128.store(output, f32x4.mul(f, s31), 16);
}

/**
 * `state_c = decay_c state_c + sum over tokens j of writer_cj u_j`.
 *
 * @param isDecayed false where every decay is 1
 */
export function writePanel(
  scratch: usize,
  state: usize,
  writes: usize,
  writesRow: usize,
  keySize: usize,
  isDecayed: bool,
): void {
  const u00 = v128.load(writes);
  const u01 = v128.load(writes, 16);
  const u10 = v128.load(writes + writesRow);
  const u11 = v128.load(writes + writesRow, 16);
  const u20 = v128.load(writes + 2 * writesRow);
  const u21 = v128.load(writes + 2 * writesRow, 16);
  const u30 = v128.load(writes + 3 * writesRow);
  const u31 = v128.load(writes + 3 * writesRow, 16);
  let writers = scratch + WRITERS;
  let decays = scratch + DECAYS;
  const end = writers + 16 * keySize;
  while (writers < end) {
    let x0 = v128.load(state);
    let x1 = v128.load(state, 16);
    if (isDecayed) {
      const f = v128.load32_splat(decays);
      x0 = f32x4.mul(f, x0);
      x1 = f32x4.mul(f, x1);
    }
    let f = v128.load32_splat(writers);
    x0 = multiplyAdd(f, u00, x0);
    x1 = multiplyAdd(f, u01, x1);
    f = v128.load32_splat(writers, 4);
    x0 = multiplyAdd(f, u10, x0);
    x1 = multiplyAdd(f, u11, x1);
    f = v128.load32_splat(writers, 8);
    x0 = multiplyAdd(f, u20, x0);
    x1 = multiplyAdd(f, u21, x1);
    f = v128.load32_splat(writers, 12);
    x0 = multiplyAdd(f, u30, x0);
    x1 = multiplyAdd(f, u31, x1);
    v128.store(state, x0);
    v128.store(state, x1, 16);
    writers += 16;
    decays += 4;
    state += 32;
  }
}
