// S_t = a_t S_{t-1} (I - beta_t k_t k_t^T) + beta_t v_t k_t^T, o_t = S_t q_t, four tokens at once: the
// chunk form of lib/attention/recurrent/chunked.ts with chunks of four. With D_i the product of the
// decays up to token i of the four, L_ij that of those after j up to i, and S the state before them,
//   o_i = S (D_i o q_i) + sum_{j <= i} (q_i . L_ij k_j) u_j,   S' = D S + sum_j u_j (L_j k_j)^T,
//   u_i = v_i, or beta_i (v_i - S (D_i o k_i) - sum_{j < i} (k_i . L_ij k_j) u_j) for delta rules.
// The state is read once or twice and written once for four tokens.

// Key channels whose vectors fit the scratch.
const MAX_KEY_SIZE: usize = 128;

// Scratch: per key channel a vector over the four tokens, or one number; per token a vector over keys.
const READERS: usize = 0;
const ERASERS: usize = READERS + 16 * MAX_KEY_SIZE;
const WRITERS: usize = ERASERS + 16 * MAX_KEY_SIZE;
const DECAYS: usize = WRITERS + 16 * MAX_KEY_SIZE;
const SCORES: usize = DECAYS + 4 * MAX_KEY_SIZE;
const OVERLAPS: usize = SCORES + 64;
const WEIGHTS: usize = OVERLAPS + 64;
const READ: usize = WEIGHTS + 16;
const HELD: usize = READ + 128;
const WRITES: usize = HELD + 128;
export const RECURRENT_SCRATCH_BYTES: usize = WRITES + 128;

const SMALLEST_NORMALISER: f32 = 1e-6;

/** Vectors over the four tokens, of every channel: what reads and writes the state, and scores. */
function prepareFour(
  scratch: usize,
  query: usize,
  key: usize,
  decay: usize,
  tokenStride: usize,
  channelStride: usize,
  normaliser: usize,
  keySize: usize,
): void {
  const row: usize = 4 * keySize;
  let score0 = f32x4.splat(0);
  let score1 = f32x4.splat(0);
  let score2 = f32x4.splat(0);
  let score3 = f32x4.splat(0);
  let overlap1 = f32x4.splat(0);
  let overlap2 = f32x4.splat(0);
  let overlap3 = f32x4.splat(0);
  let weights = f32x4.splat(0);
  for (let c: usize = 0; c < keySize; c++) {
    const a0 = load<f32>(decay);
    const a1 = load<f32>(decay + tokenStride);
    const a2 = load<f32>(decay + 2 * tokenStride);
    const a3 = load<f32>(decay + 3 * tokenStride);
    decay += channelStride;
    const k0 = load<f32>(key);
    const k1 = load<f32>(key + row);
    const k2 = load<f32>(key + 2 * row);
    const k3 = load<f32>(key + 3 * row);
    key += 4;
    const d1 = a0 * a1;
    const d2 = d1 * a2;
    const d3 = d2 * a3;
    const decays = f32x4(a0, d1, d2, d3);
    const queries = f32x4(
      load<f32>(query),
      load<f32>(query + row),
      load<f32>(query + 2 * row),
      load<f32>(query + 3 * row),
    );
    query += 4;
    const readers = f32x4.mul(queries, decays);
    const at = scratch + 16 * c;
    v128.store(at + READERS, readers);
    v128.store(at + ERASERS, f32x4.mul(f32x4(k0, k1, k2, k3), decays));
    // Lane j: key j as the next token sees it.
    let seen = f32x4(k0, 0, 0, 0);
    score0 = f32x4.add(score0, f32x4.mul(f32x4.splat(f32x4.extract_lane(queries, 0)), seen));
    seen = f32x4.mul(seen, f32x4.splat(a1));
    overlap1 = f32x4.add(overlap1, f32x4.mul(f32x4.splat(k1), seen));
    seen = f32x4.replace_lane(seen, 1, k1);
    score1 = f32x4.add(score1, f32x4.mul(f32x4.splat(f32x4.extract_lane(queries, 1)), seen));
    seen = f32x4.mul(seen, f32x4.splat(a2));
    overlap2 = f32x4.add(overlap2, f32x4.mul(f32x4.splat(k2), seen));
    seen = f32x4.replace_lane(seen, 2, k2);
    score2 = f32x4.add(score2, f32x4.mul(f32x4.splat(f32x4.extract_lane(queries, 2)), seen));
    seen = f32x4.mul(seen, f32x4.splat(a3));
    overlap3 = f32x4.add(overlap3, f32x4.mul(f32x4.splat(k3), seen));
    seen = f32x4.replace_lane(seen, 3, k3);
    score3 = f32x4.add(score3, f32x4.mul(f32x4.splat(f32x4.extract_lane(queries, 3)), seen));
    v128.store(at + WRITERS, seen);
    store<f32>(scratch + DECAYS + 4 * c, d3);
    if (normaliser != 0) {
      const z = load<f32>(normaliser + 4 * c);
      weights = f32x4.add(weights, f32x4.mul(f32x4.splat(z), readers));
      store<f32>(normaliser + 4 * c, z * d3 + sumOf(seen));
    }
  }
  v128.store(scratch + SCORES, score0);
  v128.store(scratch + SCORES, score1, 16);
  v128.store(scratch + SCORES, score2, 32);
  v128.store(scratch + SCORES, score3, 48);
  v128.store(scratch + OVERLAPS, overlap1, 16);
  v128.store(scratch + OVERLAPS, overlap2, 32);
  v128.store(scratch + OVERLAPS, overlap3, 48);
  const own = f32x4(sumOf(score0), sumOf(score1), sumOf(score2), sumOf(score3));
  v128.store(scratch + WEIGHTS, f32x4.add(weights, own));
}

@inline
function sumOf(x: v128): f32 {
  return (
    f32x4.extract_lane(x, 0) +
    f32x4.extract_lane(x, 1) +
    (f32x4.extract_lane(x, 2) + f32x4.extract_lane(x, 3))
  );
}

/** `out[i][column] = sum over channels c of factors[c][i] * state[c][column]`, 4 tokens x 8 columns. */
function readPanel(factors: usize, state: usize, out: usize, keySize: usize): void {
  let s00 = f32x4.splat(0);
  let s01 = f32x4.splat(0);
  let s10 = f32x4.splat(0);
  let s11 = f32x4.splat(0);
  let s20 = f32x4.splat(0);
  let s21 = f32x4.splat(0);
  let s30 = f32x4.splat(0);
  let s31 = f32x4.splat(0);
  const end = factors + 16 * keySize;
  while (factors < end) {
    const x0 = v128.load(state);
    const x1 = v128.load(state, 16);
    let f = v128.load32_splat(factors);
    s00 = f32x4.add(s00, f32x4.mul(f, x0));
    s01 = f32x4.add(s01, f32x4.mul(f, x1));
    f = v128.load32_splat(factors, 4);
    s10 = f32x4.add(s10, f32x4.mul(f, x0));
    s11 = f32x4.add(s11, f32x4.mul(f, x1));
    f = v128.load32_splat(factors, 8);
    s20 = f32x4.add(s20, f32x4.mul(f, x0));
    s21 = f32x4.add(s21, f32x4.mul(f, x1));
    f = v128.load32_splat(factors, 12);
    s30 = f32x4.add(s30, f32x4.mul(f, x0));
    s31 = f32x4.add(s31, f32x4.mul(f, x1));
    factors += 16;
    state += 32;
  }
  v128.store(out, s00);
  v128.store(out, s01, 16);
  v128.store(out, s10, 32);
  v128.store(out, s11, 48);
  v128.store(out, s20, 64);
  v128.store(out, s21, 80);
  v128.store(out, s30, 96);
  v128.store(out, s31, 112);
}

/** `state[c] = decays[c] * state[c] + sum over tokens i of writers[c][i] * writes[i]`, 8 columns. */
function writePanel(scratch: usize, state: usize, keySize: usize): void {
  const w00 = v128.load(scratch + WRITES);
  const w01 = v128.load(scratch + WRITES, 16);
  const w10 = v128.load(scratch + WRITES, 32);
  const w11 = v128.load(scratch + WRITES, 48);
  const w20 = v128.load(scratch + WRITES, 64);
  const w21 = v128.load(scratch + WRITES, 80);
  const w30 = v128.load(scratch + WRITES, 96);
  const w31 = v128.load(scratch + WRITES, 112);
  let writers = scratch + WRITERS;
  let decays = scratch + DECAYS;
  const end = writers + 16 * keySize;
  while (writers < end) {
    let f = v128.load32_splat(decays);
    let x0 = f32x4.mul(f, v128.load(state));
    let x1 = f32x4.mul(f, v128.load(state, 16));
    f = v128.load32_splat(writers);
    x0 = f32x4.add(x0, f32x4.mul(f, w00));
    x1 = f32x4.add(x1, f32x4.mul(f, w01));
    f = v128.load32_splat(writers, 4);
    x0 = f32x4.add(x0, f32x4.mul(f, w10));
    x1 = f32x4.add(x1, f32x4.mul(f, w11));
    f = v128.load32_splat(writers, 8);
    x0 = f32x4.add(x0, f32x4.mul(f, w20));
    x1 = f32x4.add(x1, f32x4.mul(f, w21));
    f = v128.load32_splat(writers, 12);
    x0 = f32x4.add(x0, f32x4.mul(f, w30));
    x1 = f32x4.add(x1, f32x4.mul(f, w31));
    v128.store(state, x0);
    v128.store(state, x1, 16);
    writers += 16;
    decays += 4;
    state += 32;
  }
}

/** `out += sum over tokens j below `end` of factors[j] * WRITES[j]`, 8 columns. */
@inline
function addWrites(scratch: usize, factors: usize, out: usize, end: usize): void {
  let x0 = v128.load(out);
  let x1 = v128.load(out, 16);
  for (let j: usize = 0; j < end; j++) {
    const f = v128.load32_splat(factors + 4 * j);
    x0 = f32x4.add(x0, f32x4.mul(f, v128.load(scratch + WRITES + 32 * j)));
    x1 = f32x4.add(x1, f32x4.mul(f, v128.load(scratch + WRITES + 32 * j, 16)));
  }
  v128.store(out, x0);
  v128.store(out, x1, 16);
}

/** What the four tokens write into 8 columns: their values, or for delta rules what is new in them. */
function makeWrites(scratch: usize, value: usize, valueRow: usize, writeStrength: usize): void {
  for (let i: usize = 0; i < 4; i++) {
    let v0 = v128.load(value + i * valueRow);
    let v1 = v128.load(value + i * valueRow, 16);
    if (writeStrength != 0) {
      const held = scratch + HELD + 32 * i;
      addWrites(scratch, scratch + OVERLAPS + 16 * i, held, i);
      const strength = v128.load32_splat(writeStrength + 4 * i);
      v0 = f32x4.mul(strength, f32x4.sub(v0, v128.load(held)));
      v1 = f32x4.mul(strength, f32x4.sub(v1, v128.load(held, 16)));
    }
    v128.store(scratch + WRITES + 32 * i, v0);
    v128.store(scratch + WRITES + 32 * i, v1, 16);
  }
}

/**
 * Walks `4 fours` tokens of one row of batch x heads.
 *
 * @param scratch RECURRENT_SCRATCH_BYTES
 * @param query,key [tokens][keySize]; tokens past the end are zeros with a decay of 1
 * @param value,output [tokens][valuePanels x 8]
 * @param decay of token t and channel c at t x tokenStride + c x channelStride bytes
 * @param writeStrength [tokens], or 0 where the rule is no delta rule
 * @param state [valuePanels][keySize][8], read and written
 * @param normaliser [keySize], read and written, or 0 for none
 * @param output 0 where only the state is wanted
 */
export function walkFours(
  scratch: usize,
  query: usize,
  key: usize,
  value: usize,
  decay: usize,
  tokenStride: usize,
  channelStride: usize,
  writeStrength: usize,
  state: usize,
  normaliser: usize,
  output: usize,
  fours: usize,
  keySize: usize,
  valuePanels: usize,
): void {
  const keyRow: usize = 4 * keySize;
  const valueRow: usize = 32 * valuePanels;
  for (let four: usize = 0; four < fours; four++) {
    prepareFour(scratch, query, key, decay, tokenStride, channelStride, normaliser, keySize);
    for (let panel: usize = 0; panel < valuePanels; panel++) {
      const panelState = state + panel * 32 * keySize;
      if (writeStrength != 0) readPanel(scratch + ERASERS, panelState, scratch + HELD, keySize);
      makeWrites(scratch, value + 32 * panel, valueRow, writeStrength);
      if (output != 0) {
        readPanel(scratch + READERS, panelState, scratch + READ, keySize);
        for (let i: usize = 0; i < 4; i++) {
          const read = scratch + READ + 32 * i;
          addWrites(scratch, scratch + SCORES + 16 * i, read, i + 1);
          let factor: f32 = 1;
          if (normaliser != 0) {
            const weight = load<f32>(scratch + WEIGHTS + 4 * i);
            factor = weight < SMALLEST_NORMALISER ? 0 : 1 / weight;
          }
          const f = f32x4.splat(factor);
          const out = output + i * valueRow + 32 * panel;
          v128.store(out, f32x4.mul(f, v128.load(read)));
          v128.store(out, f32x4.mul(f, v128.load(read, 16)), 16);
        }
      }
      writePanel(scratch, panelState, keySize);
    }
    query += 4 * keyRow;
    key += 4 * keyRow;
    decay += 4 * tokenStride;
    if (writeStrength != 0) writeStrength += 16;
    value += 4 * valueRow;
    if (output != 0) output += 4 * valueRow;
  }
}
