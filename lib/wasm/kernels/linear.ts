// Products with weights, out = x W^T + bias, f32. A weight matrix [outputs][inputs] is packed once into
// panels of 8 outputs, [ceil(outputs / 8)][inputs][8], zeros past the end: the same panels serve tiles
// of four rows (prefill) and single rows (decode), with sums in the same order. Rows of results are
// whole panels long.

const PANEL_COLUMN_BYTES: usize = 32;

/** Bytes of packed rows that stay in the second-level cache while every panel passes over them. */
const ROWS_BYTES: usize = 131_072;

/**
 * Four rows and 8 outputs.
 *
 * @param x [inputs][4], interleaved rows
 * @param weight [inputs][8], one panel
 * @param bias [8]
 * @param rowBytes from one row of `out` to the next
 * @param adds to what `out` holds (a residual), instead of replacing it
 */
function linearTile(
  x: usize,
  weight: usize,
  bias: usize,
  out: usize,
  rowBytes: usize,
  inputs: usize,
  adds: bool,
): void {
  const bias0 = v128.load(bias);
  const bias1 = v128.load(bias, 16);
  let s00 = bias0;
  let s01 = bias1;
  let s10 = bias0;
  let s11 = bias1;
  let s20 = bias0;
  let s21 = bias1;
  let s30 = bias0;
  let s31 = bias1;
  const end = x + 16 * inputs;
  while (x < end) {
    const w0 = v128.load(weight);
    const w1 = v128.load(weight, 16);
    let v = v128.load32_splat(x);
    s00 = f32x4.add(s00, f32x4.mul(v, w0));
    s01 = f32x4.add(s01, f32x4.mul(v, w1));
    v = v128.load32_splat(x, 4);
    s10 = f32x4.add(s10, f32x4.mul(v, w0));
    s11 = f32x4.add(s11, f32x4.mul(v, w1));
    v = v128.load32_splat(x, 8);
    s20 = f32x4.add(s20, f32x4.mul(v, w0));
    s21 = f32x4.add(s21, f32x4.mul(v, w1));
    v = v128.load32_splat(x, 12);
    s30 = f32x4.add(s30, f32x4.mul(v, w0));
    s31 = f32x4.add(s31, f32x4.mul(v, w1));
    x += 16;
    weight += PANEL_COLUMN_BYTES;
  }
  const out1 = out + rowBytes;
  const out2 = out1 + rowBytes;
  const out3 = out2 + rowBytes;
  if (adds) {
    s00 = f32x4.add(s00, v128.load(out));
    s01 = f32x4.add(s01, v128.load(out, 16));
    s10 = f32x4.add(s10, v128.load(out1));
    s11 = f32x4.add(s11, v128.load(out1, 16));
    s20 = f32x4.add(s20, v128.load(out2));
    s21 = f32x4.add(s21, v128.load(out2, 16));
    s30 = f32x4.add(s30, v128.load(out3));
    s31 = f32x4.add(s31, v128.load(out3, 16));
  }
  v128.store(out, s00);
  v128.store(out, s01, 16);
  v128.store(out1, s10);
  v128.store(out1, s11, 16);
  v128.store(out2, s20);
  v128.store(out2, s21, 16);
  v128.store(out3, s30);
  v128.store(out3, s31, 16);
}

/**
 * Rows in fours.
 *
 * @param x [rows / 4][stride][4], as `packQueries` leaves rows of `stride` values
 * @param rows a multiple of 4
 * @param stride of x in values, a multiple of 8 from `inputs` on
 * @param panels of 8 outputs
 * @param out [rows][8 x panels]
 */
export function linearRows(
  x: usize,
  weight: usize,
  bias: usize,
  out: usize,
  rows: usize,
  stride: usize,
  inputs: usize,
  panels: usize,
  adds: bool,
): void {
  const rowBytes: usize = 32 * panels;
  const panelBytes = PANEL_COLUMN_BYTES * inputs;
  const fit = (ROWS_BYTES / (4 * stride)) & ~3;
  const blockRows: usize = fit < 4 ? 4 : fit;
  for (let first: usize = 0; first < rows; first += blockRows) {
    const end = first + blockRows < rows ? first + blockRows : rows;
    for (let panel: usize = 0; panel < panels; panel++) {
      const panelWeight = weight + panelBytes * panel;
      const panelBias = bias + 32 * panel;
      for (let row = first; row < end; row += 4) {
        const to = out + rowBytes * row + 32 * panel;
        linearTile(x + 4 * stride * row, panelWeight, panelBias, to, rowBytes, inputs, adds);
      }
    }
  }
}

/** One row and 32 outputs: four panels side by side, so that no sum waits for the one before it. */
function linearRow32(
  x: usize,
  weight: usize,
  bias: usize,
  out: usize,
  inputs: usize,
  adds: bool,
): void {
  const panelBytes = PANEL_COLUMN_BYTES * inputs;
  let weight1 = weight + panelBytes;
  let weight2 = weight1 + panelBytes;
  let weight3 = weight2 + panelBytes;
  let s0 = v128.load(bias);
  let s1 = v128.load(bias, 16);
  let s2 = v128.load(bias, 32);
  let s3 = v128.load(bias, 48);
  let s4 = v128.load(bias, 64);
  let s5 = v128.load(bias, 80);
  let s6 = v128.load(bias, 96);
  let s7 = v128.load(bias, 112);
  const end = x + 4 * inputs;
  while (x < end) {
    const v = v128.load32_splat(x);
    s0 = f32x4.add(s0, f32x4.mul(v, v128.load(weight)));
    s1 = f32x4.add(s1, f32x4.mul(v, v128.load(weight, 16)));
    s2 = f32x4.add(s2, f32x4.mul(v, v128.load(weight1)));
    s3 = f32x4.add(s3, f32x4.mul(v, v128.load(weight1, 16)));
    s4 = f32x4.add(s4, f32x4.mul(v, v128.load(weight2)));
    s5 = f32x4.add(s5, f32x4.mul(v, v128.load(weight2, 16)));
    s6 = f32x4.add(s6, f32x4.mul(v, v128.load(weight3)));
    s7 = f32x4.add(s7, f32x4.mul(v, v128.load(weight3, 16)));
    x += 4;
    weight += PANEL_COLUMN_BYTES;
    weight1 += PANEL_COLUMN_BYTES;
    weight2 += PANEL_COLUMN_BYTES;
    weight3 += PANEL_COLUMN_BYTES;
  }
  if (adds) {
    s0 = f32x4.add(s0, v128.load(out));
    s1 = f32x4.add(s1, v128.load(out, 16));
    s2 = f32x4.add(s2, v128.load(out, 32));
    s3 = f32x4.add(s3, v128.load(out, 48));
    s4 = f32x4.add(s4, v128.load(out, 64));
    s5 = f32x4.add(s5, v128.load(out, 80));
    s6 = f32x4.add(s6, v128.load(out, 96));
    s7 = f32x4.add(s7, v128.load(out, 112));
  }
  v128.store(out, s0);
  v128.store(out, s1, 16);
  v128.store(out, s2, 32);
  v128.store(out, s3, 48);
  v128.store(out, s4, 64);
  v128.store(out, s5, 80);
  v128.store(out, s6, 96);
  v128.store(out, s7, 112);
}

/** `linearRow32` for one panel: what is left of a number of panels that is no multiple of four. */
function linearRow8(
  x: usize,
  weight: usize,
  bias: usize,
  out: usize,
  inputs: usize,
  adds: bool,
): void {
  let s0 = v128.load(bias);
  let s1 = v128.load(bias, 16);
  const end = x + 4 * inputs;
  while (x < end) {
    const v = v128.load32_splat(x);
    s0 = f32x4.add(s0, f32x4.mul(v, v128.load(weight)));
    s1 = f32x4.add(s1, f32x4.mul(v, v128.load(weight, 16)));
    x += 4;
    weight += PANEL_COLUMN_BYTES;
  }
  if (adds) {
    s0 = f32x4.add(s0, v128.load(out));
    s1 = f32x4.add(s1, v128.load(out, 16));
  }
  v128.store(out, s0);
  v128.store(out, s1, 16);
}

/** `linearRows` of one row, `x` as it is: [inputs]. */
export function linearRow(
  x: usize,
  weight: usize,
  bias: usize,
  out: usize,
  inputs: usize,
  panels: usize,
  adds: bool,
): void {
  const panelBytes = PANEL_COLUMN_BYTES * inputs;
  let panel: usize = 0;
  for (; panel + 4 <= panels; panel += 4) {
    const panelWeight = weight + panelBytes * panel;
    linearRow32(x, panelWeight, bias + 32 * panel, out + 32 * panel, inputs, adds);
  }
  for (; panel < panels; panel++) {
    const panelWeight = weight + panelBytes * panel;
    linearRow8(x, panelWeight, bias + 32 * panel, out + 32 * panel, inputs, adds);
  }
}
