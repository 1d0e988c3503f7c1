import { exponential } from './exponential';

/**
 * Root-mean-square norm (Zhang and Sennrich, 2019) of `count` runs of `width` values, each
 * `strideBytes` after the last, from `x` into `out`, which may be the same.
 */
export function normRuns(
  x: usize,
  out: usize,
  weight: usize,
  count: usize,
  strideBytes: usize,
  width: usize,
  epsilon: f32,
): void {
  const wholeBytes: usize = 4 * (width & ~3);
  const bytes: usize = 4 * width;
  for (let run: usize = 0; run < count; run++) {
    let sums = f32x4.splat(0);
    for (let at: usize = 0; at < wholeBytes; at += 16) {
      const value = v128.load(x + at);
      sums = f32x4.add(sums, f32x4.mul(value, value));
    }
    let sum =
      f32x4.extract_lane(sums, 0) +
      f32x4.extract_lane(sums, 1) +
      (f32x4.extract_lane(sums, 2) + f32x4.extract_lane(sums, 3));
    for (let at = wholeBytes; at < bytes; at += 4) {
      const value = load<f32>(x + at);
      sum += value * value;
    }
    const factor: f32 = 1 / sqrt<f32>(sum / <f32>width + epsilon);
    const factors = f32x4.splat(factor);
    for (let at: usize = 0; at < wholeBytes; at += 16) {
      const scaled = f32x4.mul(v128.load(x + at), factors);
      v128.store(out + at, f32x4.mul(scaled, v128.load(weight + at)));
    }
    for (let at = wholeBytes; at < bytes; at += 4) {
      store<f32>(out + at, load<f32>(x + at) * factor * load<f32>(weight + at));
    }
    x += strideBytes;
    out += strideBytes;
  }
}

const SIGN: i32 = 0x80000000;

/**
 * SwiGLU (Shazeer, 2020): gate = gate * sigmoid(gate) * up, for `count` values, a multiple of 4.
 * sigmoid(x) = (1 or exp(-|x|)) / (1 + exp(-|x|)), so that no exponential overflows.
 */
export function gateWithSilu(gate: usize, up: usize, count: usize): void {
  const end = gate + 4 * count;
  const one = f32x4.splat(1);
  const sign = i32x4.splat(SIGN);
  while (gate < end) {
    const x = v128.load(gate);
    const decay = exponential(v128.or(x, sign));
    const isNegative = f32x4.lt(x, f32x4.splat(0));
    const share = f32x4.div(v128.bitselect(decay, one, isNegative), f32x4.add(one, decay));
    v128.store(gate, f32x4.mul(f32x4.mul(x, share), v128.load(up)));
    gate += 16;
    up += 16;
  }
}
