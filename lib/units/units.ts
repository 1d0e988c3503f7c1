/** Conversions and bounds shared by every room. Units are in the names; nothing here is dimensionless by accident. */

export const BYTES_PER_GIB = 2 ** 30;
export const SECONDS_PER_MILLISECOND = 1e-3;
export const MICROSECONDS_PER_SECOND = 1e6;

/** Rounds `value` up to a multiple of `step` (both non-negative integers, `step` > 0). */
export function roundUp(value: number, step: number): number {
  return Math.ceil(value / step) * step;
}

/** `value` limited to [`low`, `high`]. */
export function clamp(value: number, low: number, high: number): number {
  return Math.min(Math.max(value, low), high);
}
